import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../support/nightshift.ts'
import { ask, begin, dialects, makeGatewayPlace, newTask, type GatewayPlace } from './place.ts'

describe.each(dialects)('the gateway speaks $name', ({ provider, model, asking }) => {
  let place: GatewayPlace

  beforeAll(async () => {
    place = await makeGatewayPlace()
  })
  afterAll(() => place.close())

  it.each([true, false])('and adds the real key, streamed: %s', async (stream) => {
    const session = await place.open(provider)
    const answer = await ask(session, asking(session, 'scene:says', { stream }))
    expect(answer, answer.text).toMatchObject({ status: 200 })
    expect(answer.text).toMatch(/Nothing .*done/s)
    const seen = place.api.turns.at(-1)
    expect(seen?.keys).toEqual([place.api.keys[provider]])
    expect(JSON.stringify([seen?.headers, seen?.path])).not.toContain(session.key)
    expect(session.usage()).toMatchObject({
      requests: 1,
      inputTokens: 1200,
      outputTokens: 60,
      models: [model],
    })
    expect(session.usage().costUsd).toBeGreaterThan(0)
    expect(session.stop()).toBeNull()
  })

  it('counts caches, all attempts of a task together', async () => {
    const taskId = newTask()
    place.api.tokens = { input: 100, output: 10, cacheRead: 5000 }
    for (const attempt of [1, 2]) {
      const session = await place.open(provider, { lease: { taskId, attempt, workerId: 'worker' } })
      await ask(session, asking(session, 'scene:says'))
      await session.close()
    }
    place.api.tokens = {}
    const spent = await place.spend.of('task', taskId)
    expect(spent).toMatchObject({ requests: 2, cacheReadTokens: 10_000, outputTokens: 20, reservedUsd: 0 })
    expect(spent.inputTokens).toBe(10_200)
    expect(spent.costUsd).toBeGreaterThan(0)
  })

  it('counts what was said until the agent hung up, and ends it at the provider', async () => {
    const taskId = newTask()
    const session = await place.open(provider, { taskId })
    const leaving = new AbortController()
    const answer = await begin(session, { ...asking(session, 'scene:endless'), signal: leaving.signal })
    let bytes = 0
    const reading = (async () => {
      for await (const chunk of answer) {
        bytes += (chunk as Buffer).length
        if (bytes > 20_000) leaving.abort()
      }
    })()
    await expect(reading).rejects.toThrow()
    await until(() => (place.api.turns.at(-1)?.hungUp === true ? true : null), 'the provider to be left')
    await session.close()
    const spent = await place.spend.of('task', taskId)
    expect(spent.outputTokens).toBeGreaterThan(100)
    expect(spent.inputTokens).toBeGreaterThan(10)
    expect(spent.costUsd).toBeGreaterThan(0)
  })

  it('passes a large answer on no faster than it is read', async () => {
    const session = await place.open(provider)
    const answer = await begin(session, asking(session, 'scene:pours'))
    answer.pause()
    // 32 MB are under way, of which only what the kernel's buffers take is sent.
    const sent = () => place.api.turns.at(-1)?.sentBytes ?? 0
    let before = -1
    await until(() => {
      const same = sent() === before
      before = sent()
      return same && before > 0 ? true : null
    })
    expect(sent()).toBeLessThan(16_000_000)
    let bytes = 0
    for await (const chunk of answer) bytes += (chunk as Buffer).length
    expect(bytes).toBeGreaterThan(32_000_000)
  })

  it('ends with the session, which answers nobody afterwards', async () => {
    const session = await place.open(provider)
    const answer = await begin(session, asking(session, 'scene:endless'))
    const reading = (async () => {
      for await (const _ of answer);
    })()
    await Promise.all([expect(reading).rejects.toThrow(), session.close()])
    await expect(ask(session, asking(session, 'scene:says'))).rejects.toThrow(/ENOENT|ECONNREFUSED/)
  })

  it('survives an answer that is none, and one that breaks off', async () => {
    const session = await place.open(provider)
    expect((await ask(session, asking(session, 'scene:garbage'))).status).toBe(200)
    await expect(ask(session, asking(session, 'scene:cuts'))).rejects.toThrow(/aborted|hang up/)
    const broken = await ask(session, asking(session, 'scene:breaks'))
    expect(broken.status).toBe(502)
    expect(JSON.parse(broken.text)).toHaveProperty(
      'error.message',
      expect.stringContaining('could not be reached'),
    )
    expect((await ask(session, asking(session, 'scene:says'))).status).toBe(200)
    expect(session.usage().requests).toBe(4)
  })
})
