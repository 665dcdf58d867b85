import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await testDatabase()
})
afterAll(() => test.close())

describe('tokens', () => {
  it('are shown once, verified, listed and revoked; the database holds only a hash', async () => {
    expect(await test.tokens.any()).toBe(false)
    const { token, stored } = await test.tokens.create('laptop')
    expect(token).toMatch(/^ns_[\w-]{43}$/)
    expect(stored).toMatchObject({ name: 'laptop', lastUsedAt: null })
    expect(await test.tokens.any()).toBe(true)
    expect(await test.tokens.verify(token)).toBe('operator')
    for (const wrong of ['', `${token}x`, token.slice(0, -1), token.toUpperCase(), 'a\0b']) {
      expect(await test.tokens.verify(wrong)).toBeNull()
    }
    const [listed] = await test.tokens.list()
    expect(listed?.lastUsedAt).not.toBeNull()
    const rows = await test.query('select tokens::text as row, hash from tokens')
    expect(String(rows[0]?.['row'])).not.toContain(token.slice(3))
    expect(await test.tokens.revoke(stored.id)).toBe(true)
    expect(await test.tokens.revoke(stored.id)).toBe(false)
    expect(await test.tokens.verify(token)).toBeNull()
    expect(await test.tokens.any()).toBe(false)
  })

  it('note their use at most once a minute', async () => {
    const { token } = await test.tokens.create('other')
    await test.tokens.verify(token)
    const [first] = await test.tokens.list()
    await test.tokens.verify(token)
    expect(await test.tokens.list()).toEqual([first])
    await test.query("update tokens set last_used_at = last_used_at - interval '61 s'")
    await test.tokens.verify(token)
    const [later] = await test.tokens.list()
    expect(Date.parse(later?.lastUsedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(first?.lastUsedAt ?? ''))
  })
})
