import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mayBind } from '../../src/api/access.ts'
import { port, serveOnTest, type Served } from './served.ts'

const json = { 'content-type': 'application/json' }

describe('a server on loopback without any token', () => {
  let served: Served
  beforeAll(async () => {
    served = await serveOnTest()
  })
  afterAll(() => served.close())

  it.each([
    [`127.0.0.1:${port}`, 200],
    [`localhost:${port}`, 200],
    [`LOCALHOST:${port}`, 200],
    [`[::1]:${port}`, 200],
    [`127.8.9.1:${port}`, 200],
    ['127.0.0.1', 400],
    ['127.0.0.1:81', 400],
    [`evil.example:${port}`, 400],
    [`127.0.0.1.evil.example:${port}`, 400],
    [`localhost.evil.example:${port}`, 400],
    [`evil.example#127.0.0.1:${port}`, 400],
    [`127.0.0.1:${port}@evil.example`, 400],
    ['', 400],
  ])('called as %j answers %i, so that no foreign name can be bound to it', async (host, status) => {
    for (const path of ['/api/v1/stats', '/healthz', '/docs', '/nothing']) {
      const response = await served.call('GET', path, { headers: { host } })
      expect(response.status, path).toBe(path === '/nothing' && status === 200 ? 404 : status)
    }
  })

  it.each([
    ['a page of another site', { ...json, origin: 'https://evil.example' }, 403],
    ['a page of another port', { ...json, origin: 'http://127.0.0.1:3000' }, 403],
    ['a page without an origin of its own', { ...json, origin: 'null' }, 403],
    ['a form, as text', { 'content-type': 'text/plain' }, 415],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['something that only begins like JSON', { 'content-type': 'application/json-but-not' }, 415],
    ['a browser that says cross-site', { ...json, 'sec-fetch-site': 'cross-site' }, 403],
    ['a browser that says same-site', { ...json, 'sec-fetch-site': 'same-site' }, 403],
    ['its own page', { ...json, origin: `http://localhost:${port}`, 'sec-fetch-site': 'same-origin' }, 200],
    ['a program', json, 200],
    ['a program that names UTF-8', { 'content-type': 'application/json; charset=UTF-8' }, 200],
  ])('takes a write of %s accordingly', async (_who, headers, status) => {
    expect((await served.call('POST', '/api/v1/pause', { raw: '{}', headers })).status).toBe(status)
  })

  it('takes a POST without body and without content type, but no unnamed body', async () => {
    expect((await served.call('POST', '/api/v1/resume')).status).toBe(200)
    const raw = new Uint8Array([0x7b, 0x7d])
    const headers = { 'content-length': '2', 'content-type': '' }
    expect((await served.call('POST', '/api/v1/resume', { raw, headers })).status).toBe(415)
  })

  it('refuses a page of another site to read, too', async () => {
    const headers = { origin: 'https://evil.example' }
    expect((await served.call('GET', '/api/v1/tasks', { headers })).status).toBe(403)
    const answer = await served.call('GET', '/api/v1/tasks')
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })

  it('refuses a wrong token although none is needed', async () => {
    const response = await served.call('GET', '/api/v1/stats', {
      headers: { authorization: 'Bearer nonsense' },
    })
    expect(response.status).toBe(401)
  })

  it('sends security headers with every answer', async () => {
    for (const path of ['/docs', '/api/v1/stats', '/nothing', '/healthz', '/openapi.json', '/']) {
      const { headers } = await served.call('GET', path)
      expect(headers.get('x-content-type-options'), path).toBe('nosniff')
      expect(headers.get('content-security-policy'), path).toContain("default-src 'none'")
      expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'")
      const page = path === '/docs' || path === '/'
      expect(headers.get('referrer-policy'), path).toBe(page ? 'same-origin' : 'no-referrer')
    }
  })
})

describe('a server with tokens', () => {
  it('lets in who has one, until it is revoked', async () => {
    const served = await serveOnTest()
    expect((await served.call('GET', '/api/v1/stats')).status).toBe(200)
    const { token, stored } = await served.database.tokens.create('test')
    const wanting = await served.call('GET', '/api/v1/stats')
    expect([wanting.status, wanting.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer realm="nightshift"',
    ])
    const headers = { authorization: `Bearer ${token}` }
    expect((await served.call('GET', '/api/v1/stats', { headers })).status).toBe(200)
    expect((await served.call('GET', '/api/v1/nothing')).status).toBe(401)
    expect((await served.call('GET', '/docs')).status).toBe(200)
    await served.database.tokens.create('second')
    await served.database.tokens.revoke(stored.id)
    const revoked = await served.call('GET', '/api/v1/stats', { headers })
    expect(revoked.status).toBe(401)
    expect(revoked.headers.get('www-authenticate')).toContain('invalid_token')
    await served.close()
  })

  it.each(['', 'Bearer', 'Bearer ', 'Basic YTpi', 'Bearer a b', `Bearer ${'x'.repeat(5000)}`, 'token'])(
    'refuses the header %j',
    async (authorization) => {
      const served = await serveOnTest({ environmentToken: 'right' })
      expect((await served.call('GET', '/api/v1/stats', { headers: { authorization } })).status).toBe(401)
      await served.close()
    },
  )

  it('takes the token of its environment', async () => {
    const served = await serveOnTest({ environmentToken: 'right' })
    const status = async (authorization: string) =>
      (await served.call('GET', '/api/v1/stats', { headers: { authorization } })).status
    expect(await status('Bearer right')).toBe(200)
    expect(await status('bearer right')).toBe(200)
    expect(await status('Bearer wrong')).toBe(401)
    expect((await served.call('GET', '/api/v1/stats')).status).toBe(401)
    await served.close()
  })
})

describe('a server off loopback', () => {
  it('may only be bound where there is a token', async () => {
    const served = await serveOnTest()
    const bind = (host: string, environmentToken: string | null = null) =>
      mayBind({ host, tokens: served.database.tokens, environmentToken })
    expect(await bind('0.0.0.0')).toBe(false)
    expect(await bind('::')).toBe(false)
    expect(await bind('127.0.0.1.example.org')).toBe(false)
    expect(await bind('127.0.0.1')).toBe(true)
    expect(await bind('[::1]')).toBe(true)
    expect(await bind('0.0.0.0', 'token')).toBe(true)
    await served.database.tokens.create('test')
    expect(await bind('0.0.0.0')).toBe(true)
    await served.close()
  })

  it('never lets anyone in without a token, and takes any Host', async () => {
    const served = await serveOnTest({ host: '0.0.0.0' })
    const headers = { host: 'build.example.org' }
    expect((await served.call('GET', '/api/v1/stats', { headers })).status).toBe(401)
    const { token } = await served.database.tokens.create('test')
    const withToken = { ...headers, authorization: `Bearer ${token}` }
    expect((await served.call('GET', '/api/v1/stats', { headers: withToken })).status).toBe(200)
    const foreign = { ...withToken, origin: 'https://evil.example' }
    expect((await served.call('GET', '/api/v1/stats', { headers: foreign })).status).toBe(403)
    await served.close()
  })
})
