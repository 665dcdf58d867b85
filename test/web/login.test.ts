import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { port, serveOnTest, type Served } from '../api/served.ts'

const browser = { accept: 'text/html' }
const own = { origin: `http://127.0.0.1:${port}` }
const form = { ...browser, ...own, 'content-type': 'application/x-www-form-urlencoded' }

/** What a form posts: with its length, as connections send it. */
function fields(values: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) {
  const raw = new URLSearchParams(values).toString()
  return { raw, headers: { ...form, 'content-length': String(raw.length), ...headers } }
}

function cookieOf(response: Response): string {
  return /^[^;]+/.exec(response.headers.get('set-cookie') ?? '')?.[0] ?? ''
}

async function keyOf(response: Response): Promise<string> {
  return /name="key" value="([^"]+)"/.exec(await response.text())?.[1] ?? ''
}

describe('the dashboard on loopback without a token', () => {
  let served: Served
  beforeAll(async () => {
    served = await serveOnTest()
  })
  afterAll(() => served.close())

  it('is there at once, under a policy that lets nothing be loaded from elsewhere and no script stand in a page', async () => {
    for (const path of ['/', '/tasks', '/login']) {
      const response = await served.call('GET', path, { headers: browser })
      const policy = response.headers.get('content-security-policy') ?? ''
      expect([response.status, response.headers.get('content-type')]).toEqual([
        200,
        'text/html; charset=UTF-8',
      ])
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toContain('unsafe')
      expect(await response.text()).not.toMatch(/<script(?![^>]* src="\/assets\/)|<style|\son\w+=|style="/)
    }
  })

  it('serves what its pages load, and a script that changed is loaded anew', async () => {
    const page = await (await served.call('GET', '/', { headers: browser })).text()
    const assets = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((found) => found[1] ?? '')
    expect(assets.length).toBe(3)
    for (const path of [...assets, '/assets/ansi.js']) {
      const first = await served.call('GET', path)
      expect([path, first.status]).toEqual([path, 200])
      const headers = { 'if-none-match': first.headers.get('etag') ?? '' }
      expect((await served.call('GET', path, { headers })).status).toBe(304)
    }
    expect((await served.call('GET', '/assets/..%2fpages.ts')).status).toBe(404)
  })

  it('takes a form with the key of its pages, and none without', async () => {
    const key = await keyOf(await served.call('GET', '/', { headers: browser }))
    expect((await served.call('POST', '/pause', fields({}))).status).toBe(403)
    expect((await served.call('POST', '/pause', fields({ key: `${key}x` }))).status).toBe(403)
    const foreign = fields({ key }, { origin: 'https://evil.example' })
    expect((await served.call('POST', '/pause', foreign)).status).toBe(403)
    const { origin: _origin, ...nameless } = fields({ key }).headers
    expect((await served.call('POST', '/pause', { ...fields({ key }), headers: nameless })).status).toBe(403)
    expect((await served.system.store.stats()).paused).toBe(false)
    const taken = await served.call('POST', '/pause', fields({ key }))
    expect([taken.status, taken.headers.get('location')]).toEqual([303, '/'])
    expect((await served.system.store.stats()).paused).toBe(true)
    await served.system.store.resume()
  })

  it('cancels and repeats a task, once however often the button is pressed', async () => {
    const task = await served.submit()
    const page = await served.call('GET', `/tasks/${task.id}`, { headers: browser })
    const key = await keyOf(page)
    const cancelled = await served.call('POST', `/tasks/${task.id}/cancel`, fields({ key }))
    expect([cancelled.status, cancelled.headers.get('location')]).toEqual([303, `/tasks/${task.id}`])
    expect(await served.system.store.get(task.id)).toMatchObject({ outcome: 'cancelled' })
    const post = () => served.call('POST', `/tasks/${task.id}/retry`, fields({ key, nth: '0' }))
    const [first, second] = [await post(), await post()]
    expect(first.headers.get('location')).toMatch(/^\/tasks\/[0-9A-Z]{26}$/)
    expect(second.headers.get('location')).toBe(first.headers.get('location'))
    expect((await served.system.dashboard.relatives(task.id)).retries).toHaveLength(1)
  })

  it('says in a page what is not there, and as a problem to a program', async () => {
    const page = await served.call('GET', '/tasks/NOSUCHTASK', { headers: browser })
    expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=UTF-8'])
    const program = await served.call('GET', '/nothing')
    expect(program.headers.get('content-type')).toBe('application/problem+json')
    const long = `/tasks/${"'%22%3E%3Cscript%3E".repeat(20)}`
    expect(await (await served.call('GET', long, { headers: browser })).text()).not.toContain('<script>')
  })
})

describe('the dashboard of a server that wants a token', () => {
  let served: Served
  let token: string
  beforeEach(async () => {
    served = await serveOnTest({ host: '0.0.0.0' })
    ;({ token } = await served.system.tokens.create('person'))
  })
  afterEach(() => served.close())

  const signIn = (value: string, next = '/tasks') =>
    served.call('POST', '/login', fields({ token: value, next }))
  const see = (cookie: string, path = '/') => served.call('GET', path, { headers: { ...browser, cookie } })

  it('asks whoever comes to sign in, and leads back to where they wanted to go', async () => {
    const asked = await served.call('GET', '/tasks?state=held', { headers: browser })
    expect([asked.status, asked.headers.get('location')]).toEqual([
      302,
      '/login?next=%2Ftasks%3Fstate%3Dheld',
    ])
    const taken = await signIn(token, '/tasks?state=held')
    expect([taken.status, taken.headers.get('location')]).toEqual([303, '/tasks?state=held'])
    expect((await see(cookieOf(taken))).status).toBe(200)
    for (const elsewhere of [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      'javascript:1',
      '/a b',
    ]) {
      expect((await signIn(token, elsewhere)).headers.get('location')).toBe('/')
    }
  })

  it('gives a cookie that no script reads and no other site sends, and keeps only hashes', async () => {
    const header = (await signIn(token)).headers.get('set-cookie') ?? ''
    expect(header).toMatch(
      /^nightshift_session_8080=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/,
    )
    const rows = await served.database.query('select sessions::text as row from sessions')
    expect(String(rows[0]?.['row'])).not.toContain(/=([\w-]+)/.exec(header)?.[1])
    const overTls = await served.call('POST', '/login', fields({ token }, { 'x-forwarded-proto': 'https' }))
    expect(overTls.headers.get('set-cookie')).toMatch(/; Secure$/)
  })

  it('refuses a wrong token, without a cookie', async () => {
    for (const wrong of ['', 'nonsense', `${token}x`]) {
      const refused = await signIn(wrong)
      expect([refused.status, refused.headers.get('set-cookie')]).toEqual([401, null])
      expect(await refused.text()).toContain('role="alert"')
    }
  })

  it('lets nobody without a session read pages, streams or the API', async () => {
    for (const cookie of ['', 'nightshift_session_8080=', `nightshift_session_8080=${'x'.repeat(43)}`]) {
      expect((await see(cookie)).status).toBe(302)
      for (const path of ['/events', '/api/v1/tasks']) {
        expect((await served.call('GET', path, { headers: { cookie } })).status).toBe(401)
      }
    }
  })

  it('lets a session read the API but not write by it: what pages write goes through their forms', async () => {
    const cookie = cookieOf(await signIn(token))
    expect((await served.call('GET', '/api/v1/stats', { headers: { cookie } })).status).toBe(200)
    expect((await served.call('POST', '/api/v1/pause', { headers: { cookie } })).status).toBe(401)
    expect((await served.call('POST', '/pause', fields({ key: 'x' }, { cookie }))).status).toBe(403)
    const key = await keyOf(await see(cookie))
    expect((await served.call('POST', '/pause', fields({ key }, { cookie }))).status).toBe(303)
    const other = cookieOf(await signIn(token))
    expect((await served.call('POST', '/resume', fields({ key }, { cookie: other }))).status).toBe(403)
  })

  it('changes the cookie every quarter of an hour, and takes the old one for a minute more', async () => {
    const first = cookieOf(await signIn(token))
    expect((await see(first)).headers.get('set-cookie')).toBeNull()
    await served.database.query("update sessions set rotated_at = now() - interval '16 minutes'")
    const rotated = await see(first)
    const second = cookieOf(rotated)
    expect(second).toMatch(/^nightshift_session_8080=[\w-]{43}$/)
    expect(second).not.toBe(first)
    const key = await keyOf(rotated)
    expect((await see(first)).status).toBe(200)
    expect(await keyOf(await see(second))).toBe(key)
    await served.database.query("update sessions set previous_until = now() - interval '1 s'")
    expect([(await see(first)).status, (await see(second)).status]).toEqual([302, 200])
  })

  it('ends a session by signing out, by revoking its token and by time', async () => {
    const cookies = []
    for (let number = 0; number < 3; number += 1) cookies.push(cookieOf(await signIn(token)))
    const [out = '', late = '', revoked = ''] = cookies
    const key = await keyOf(await see(out))
    expect((await served.call('POST', '/logout', fields({}, { cookie: out }))).status).toBe(403)
    expect((await served.call('POST', '/logout', fields({ key }, { cookie: out }))).status).toBe(303)
    expect((await see(out)).status).toBe(302)
    const lateKey = await keyOf(await see(late))
    await served.database.query(
      `update sessions set expires_at = now() - interval '1 s' where form_key = '${lateKey}'`,
    )
    expect([(await see(late)).status, (await see(revoked)).status]).toEqual([302, 200])
    const [stored] = await served.system.tokens.list()
    await served.system.tokens.revoke(stored?.id ?? '')
    expect((await see(revoked)).status).toBe(302)
  })

  it('brings whoever followed a link from another site on the way again, with the cookie this time', async () => {
    const headers = { ...browser, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }
    const bounced = await served.call('GET', '/tasks?text=%22%3E%3Cb%3E', { headers })
    expect(bounced.status).toBe(200)
    expect(await bounced.text()).toContain('content="0;url=/tasks?text=%22%3E%3Cb%3E"')
  })
})

describe('a token that only reads', () => {
  let served: Served
  let token: string
  beforeAll(async () => {
    served = await serveOnTest({ host: '0.0.0.0' })
    ;({ token } = await served.system.tokens.create('wall', 'reader'))
  })
  afterAll(() => served.close())

  it('sees everything and changes nothing, over the API and on the dashboard', async () => {
    const headers = { authorization: `Bearer ${token}` }
    expect((await served.call('GET', '/api/v1/tasks', { headers })).status).toBe(200)
    const refused = await served.call('POST', '/api/v1/pause', { headers })
    expect([refused.status, await refused.json()]).toMatchObject([403, { type: '/docs#read-only' }])
    const cookie = cookieOf(await served.call('POST', '/login', fields({ token })))
    const page = await served.call('GET', '/', { headers: { ...browser, cookie } })
    const text = await page.clone().text()
    expect(text).toContain('read only')
    expect(text).not.toContain('action="/pause"')
    const key = await keyOf(page)
    expect((await served.call('POST', '/pause', fields({ key }, { cookie }))).status).toBe(403)
    expect((await served.call('POST', '/logout', fields({ key }, { cookie }))).status).toBe(303)
  })
})
