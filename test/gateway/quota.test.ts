import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { geminiRefusal } from '../../src/gateway/gemini-refusal.ts'
import { openaiRefusal } from '../../src/gateway/openai-refusal.ts'
import { Backoffs, Patience } from '../../src/gateway/patience.ts'
import { parseWait, retryAfter, waitInWords } from '../../src/gateway/waits.ts'
import type { ProviderLogin } from '../../src/model/provider-access.ts'
import { until } from '../support/nightshift.ts'
import { ask, dialects, makeGatewayPlace, type GatewayPlace } from './place.ts'

const hour = 3_600_000

describe.each(dialects)('refusals of $name', ({ provider, asking }) => {
  let place: GatewayPlace

  beforeAll(async () => {
    place = await makeGatewayPlace()
  })
  afterAll(() => place.close())

  it.each(['limit-reached', 'limit-reached-epoch'])(
    'hold the account until the named time: %s',
    async (scene) => {
      const session = await place.open(provider)
      const answer = await ask(session, asking(session, `scene:${scene}`))
      expect(answer.status).toBe(429)
      const stop = session.stop()
      expect(stop).toMatchObject({
        kind: 'quota',
        account: expect.stringMatching(`^${provider}:[0-9a-f]{12}$`),
      })
      if (stop?.kind !== 'quota') throw new Error('no quota')
      expect(stop.delayMs).toBeGreaterThan(2 * hour - 60_000)
      expect(stop.delayMs).toBeLessThan(2 * hour + 60_000)
      expect(stop.message.length).toBeGreaterThan(10)
      expect(session.stopping.aborted).toBe(true)
      // What the command line asks now is not passed on.
      const before = place.api.requests.length
      expect((await ask(session, asking(session, 'scene:says'))).status).toBe(400)
      expect(place.api.requests).toHaveLength(before)
    },
  )

  it('hold it for a back-off where nobody knows when more is paid', async () => {
    const session = await place.open(provider)
    await ask(session, asking(session, 'scene:quota-spent'))
    expect(session.stop()).toMatchObject({ kind: 'quota' })
  })

  it('that pass in a moment are left to the command line', async () => {
    const session = await place.open(provider)
    const answer = await ask(session, asking(session, 'scene:429'))
    expect(answer.status).toBe(429)
    expect(session.stop()).toBeNull()
    // Where it ends now instead of asking again, that is why.
    expect(session.givenUp()).toMatchObject({ kind: 'quota', delayMs: expect.any(Number) })
    const statuses = []
    for (let tried = 0; tried < 5; tried++) {
      statuses.push((await ask(session, asking(session, 'scene:flaky'))).status)
    }
    expect(statuses.at(-1)).toBe(200)
    expect([session.stop(), session.givenUp()]).toEqual([null, null])
    // Refused requests cost nothing.
    await session.close()
    expect(session.usage()).toMatchObject({ requests: 6, inputTokens: 1200 })
  })

  it('of the login stop the session at once', async () => {
    for (const scene of ['401', '403']) {
      const session = await place.open(provider)
      await ask(session, asking(session, `scene:${scene}`))
      // OpenAI means a model by its 403, and not the key.
      if (scene === '403' && provider === 'openai') expect(session.stop()).toBeNull()
      else expect(session.stop()).toMatchObject({ kind: 'login_refused' })
    }
  })

  it('of a model’s name, and failures, stop nothing', async () => {
    const session = await place.open(provider)
    expect((await ask(session, asking(session, 'scene:404'))).status).toBe(404)
    expect((await ask(session, asking(session, 'scene:500'))).status).toBe(500)
    expect(session.stop()).toBeNull()
  })

  it('that go on lead to a stop, also while the command line waits to ask again', async () => {
    const session = await place.open(provider)
    await ask(session, asking(session, 'scene:529'))
    await until(() => session.stop())
    expect(session.stop()).toMatchObject({ kind: 'quota', delayMs: expect.any(Number) })
  })
})

describe('Claude Code’s long-lived token', () => {
  it('is sent as one, and its limits are understood', async () => {
    const login: ProviderLogin = { kind: 'subscription', secret: 'sk-ant-oat01-stand-in-9Zr2' }
    const place = await makeGatewayPlace({ login })
    const session = await place.open('anthropic')
    expect(session.key).toMatch(/^sk-ant-oat01-/)
    const [messages] = dialects
    const asking = messages?.asking(session, 'scene:says')
    const headers = { authorization: `Bearer ${session.key}`, 'anthropic-beta': 'one,two' }
    expect((await ask(session, { ...asking, headers })).status).toBe(200)
    expect(place.api.turns.at(-1)?.headers).toMatchObject({
      authorization: `Bearer ${login.secret}`,
      'anthropic-beta': 'one,two,oauth-2025-04-20',
    })
    expect(place.api.turns.at(-1)?.headers).not.toHaveProperty('x-api-key')
    await ask(session, { ...messages?.asking(session, 'scene:limit-reached'), headers })
    const stop = session.stop()
    expect(stop).toMatchObject({ kind: 'quota' })
    if (stop?.kind === 'quota') expect(stop.delayMs).toBeGreaterThan(2 * hour - 60_000)
    await place.close()
  })
})

describe('waits in the providers’ forms', () => {
  it.each([
    ['1.2s', 1200],
    ['120ms', 120],
    ['6m0s', 360_000],
    ['1h2m3s', 3_723_000],
    ['2d', 172_800_000],
    ['35.075s', 35_075],
    ['soon', null],
    ['', null],
    ['5', null],
  ])('%s', (written, ms) => expect(parseWait(written)).toBe(ms))

  it('stand in sentences', () => {
    expect(waitInWords('Rate limit. Please try again in 7m12.5s. Visit us.')).toBe(432_500)
    expect(waitInWords('Please retry in 35.2s.')).toBe(35_200)
    expect(waitInWords('Please try again later.')).toBeNull()
  })

  it('stand in headers, by the provider’s own clock', () => {
    expect(retryAfter({ 'retry-after': '7' })).toBe(7000)
    expect(retryAfter({ 'retry-after-ms': '250', 'retry-after': '7' })).toBe(250)
    const date = 'Wed, 21 Oct 2015 07:28:00 GMT'
    expect(retryAfter({ 'retry-after': 'Wed, 21 Oct 2015 07:30:00 GMT', date })).toBe(120_000)
    expect(retryAfter({ 'retry-after': 'never' })).toBeNull()
    expect(retryAfter({})).toBeNull()
  })

  it('of a day at Google’s end at midnight there', () => {
    const details = [
      { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId: 'RequestsPerDay' }] },
      { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '12s' },
    ]
    const refusal = geminiRefusal({ status: 429, headers: {}, body: { error: { message: 'no', details } } })
    expect(refusal).toMatchObject({ kind: 'limit', lasting: true })
    if (refusal?.kind === 'limit') {
      expect(refusal.delayMs).toBeGreaterThan(0)
      expect(refusal.delayMs).toBeLessThanOrEqual(24 * hour)
    }
  })

  it('of what is used up count, and not of what is left', () => {
    const headers = {
      'x-ratelimit-remaining-requests': '3',
      'x-ratelimit-reset-requests': '20h',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '6m0s',
    }
    const refusal = openaiRefusal({ status: 429, headers, body: { error: { message: 'slow down' } } })
    expect(refusal).toMatchObject({ kind: 'limit', delayMs: 360_000, lasting: false })
  })
})

describe('patience', () => {
  const busy = { kind: 'busy', message: '', delayMs: null } as const

  it('is longer where work has been done, and begins anew with each answer', () => {
    const patience = new Patience(() => 60_000)
    expect(patience.refused(busy, 0)).toBeNull()
    expect(patience.refused(busy, 11_000)).toBeNull()
    expect(patience.refused(busy, 13_000)).toBe(60_000)
    expect(patience.overdue(13_000)).toBe(busy)
    patience.answered()
    expect(patience.overdue(13_000)).toBeNull()
    expect(patience.refused(busy, 100_000)).toBeNull()
    expect(patience.overdue(144_000)).toBeNull()
    expect(patience.refused(busy, 130_000)).toBeNull()
    patience.answered()
    expect(patience.refused(busy, 140_000)).toBeNull()
    expect(patience.refused(busy, 186_000)).toBe(60_000)
  })

  it('has an end at once where the wait is longer than itself', () => {
    const limit = { kind: 'limit', message: '', delayMs: 30_000, lasting: false } as const
    expect(new Patience(() => 0).refused(limit, 0)).toBe(31_000)
    expect(new Patience(() => 60_000).refused(limit, 0)).toBe(60_000)
    expect(new Patience(() => 0).refused({ ...limit, delayMs: 1000 }, 0)).toBeNull()
    expect(new Patience(() => 0).refused({ ...limit, delayMs: 1000, lasting: true }, 0)).toBe(2000)
  })

  it('backs off longer each time, up to an hour, until the account answers', () => {
    const backoffs = new Backoffs()
    const waits = Array.from({ length: 8 }, () => backoffs.next('a') / 60_000)
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
    expect(backoffs.next('b')).toBe(60_000)
    backoffs.reset('a')
    expect(backoffs.next('a')).toBe(60_000)
  })
})
