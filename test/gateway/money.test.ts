import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, dialects, makeGatewayPlace, newTask, type GatewayPlace } from './place.ts'

describe.each(dialects)('a spending cap over $name', ({ provider, asking }) => {
  let place: GatewayPlace

  beforeAll(async () => {
    place = await makeGatewayPlace()
  })
  afterAll(() => place.close())

  it('is never passed, however many ask at once, and ends the agent', async () => {
    const taskId = newTask()
    const capUsd = 0.1
    const session = await place.open(provider, { taskId, capUsd })
    // Each answer costs some cents.
    place.api.tokens = { input: 300, output: 1500 }
    const worker = async () => {
      for (let tried = 0; tried < 40 && session.stop() === null; tried++) {
        await ask(session, asking(session, 'scene:says'))
      }
    }
    await Promise.all([worker(), worker(), worker(), worker(), worker()])
    place.api.tokens = {}
    await session.close()
    const spent = await place.spend.of('task', taskId)
    expect(session.stop()).toMatchObject({ kind: 'over_budget', scope: 'task', capUsd })
    expect(session.stopping.aborted).toBe(true)
    expect(spent.costUsd).toBeLessThanOrEqual(capUsd)
    expect(spent.costUsd).toBeGreaterThan(capUsd / 3)
    expect(spent.reservedUsd).toBeCloseTo(0, 9)
    expect(session.usage().costUsd).toBeCloseTo(spent.costUsd, 9)
  })

  it('holds against an agent that goes on asking, and in its next attempt', async () => {
    const taskId = newTask()
    await place.spend.book([{ scope: 'task', id: taskId, capUsd: null }], {
      requests: 1,
      inputTokens: 1,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      outputTokens: 1,
      costUsd: 2.5,
      reservedUsd: 0,
    })
    const session = await place.open(provider, { taskId, capUsd: 2.5 })
    expect(session.stop()).toEqual({ kind: 'over_budget', scope: 'task', capUsd: 2.5, spentUsd: 2.5 })
    const before = place.api.requests.length
    for (let tried = 0; tried < 5; tried++) {
      const answer = await ask(session, asking(session, 'scene:says'))
      expect(answer.status).toBe(400)
      expect(JSON.parse(answer.text)).toHaveProperty('error.message', expect.stringContaining('$2.50'))
    }
    expect(place.api.requests).toHaveLength(before)
  })

  it('reserves more where a request has turned out to be more than its size tells', async () => {
    const taskId = newTask()
    const capUsd = 0.3
    const session = await place.open(provider, { taskId, capUsd })
    place.api.tokens = { input: 9000, output: 20 }
    for (let tried = 0; tried < 200 && session.stop() === null; tried++) {
      await ask(session, asking(session, 'scene:says'))
    }
    place.api.tokens = {}
    await session.close()
    expect(session.stop()).toMatchObject({ kind: 'over_budget' })
    const { costUsd } = await place.spend.of('task', taskId)
    expect(costUsd).toBeLessThanOrEqual(capUsd)
    expect(costUsd).toBeGreaterThan(capUsd / 2)
  })

  it('limits the last answer to what is left', async () => {
    const session = await place.open(provider, { capUsd: 0.05 })
    await ask(session, asking(session, 'scene:says', { body: { max_tokens: 64_000 } }))
    const body = JSON.stringify(place.api.turns.at(-1)?.body)
    // What the gateway writes comes last.
    const limits = body.matchAll(
      /"(?:max_tokens|max_output_tokens|max_completion_tokens|maxOutputTokens)":(\d+)/g,
    )
    const limit = [...limits].at(-1)?.[1]
    expect(Number(limit)).toBeGreaterThan(1000)
    expect(Number(limit)).toBeLessThan(64_000)
  })

  it.each([
    ['run', 'night'],
    ['night', 'run'],
  ] as const)('is kept for all tasks of a %s together, and counted for a %s', async (capped, counted) => {
    const budgets = [
      { scope: capped, id: newTask(), capUsd: 0.02 },
      { scope: counted, id: newTask(), capUsd: null },
    ]
    place.api.tokens = { input: 300, output: 600 }
    let stop = null
    for (let task = 0; task < 30 && stop === null; task++) {
      const session = await place.open(provider, { budgets })
      await ask(session, asking(session, 'scene:says'))
      await session.close()
      stop = session.stop()
    }
    place.api.tokens = {}
    expect(stop).toMatchObject({ kind: 'over_budget', scope: capped, capUsd: 0.02 })
    const [first, second] = await Promise.all(budgets.map(({ scope, id }) => place.spend.of(scope, id)))
    expect(first?.costUsd).toBeLessThanOrEqual(0.02)
    expect(first?.requests).toBeGreaterThan(0)
    expect(second).toMatchObject({ requests: first?.requests, costUsd: first?.costUsd })
  })

  it('needs a known price', async () => {
    const early = await place.open(provider, { model: 'mystery-9', capUsd: 1 })
    expect(early.stop()).toEqual({ kind: 'price_unknown', model: 'mystery-9' })
    const late = await place.open(provider, { capUsd: 1 })
    expect(late.stop()).toBeNull()
    const before = place.api.requests.length
    expect((await ask(late, asking(late, 'scene:says', { model: 'mystery-9' }))).status).toBe(400)
    expect(late.stop()).toEqual({ kind: 'price_unknown', model: 'mystery-9' })
    expect(place.api.requests).toHaveLength(before)
    const free = await place.open(provider)
    expect((await ask(free, asking(free, 'scene:says', { model: 'mystery-9' }))).status).toBe(200)
    await free.close()
    expect(free.usage()).toMatchObject({ requests: 1, costUsd: null })
  })
})

describe.each(dialects.filter(({ name }) => name.includes('esponses') || name.includes('emini')))(
  'what $name keeps of answers before',
  ({ provider, asking }) => {
    let place: GatewayPlace
    const kept = { body: { previous_response_id: 'resp_1', cachedContent: 'cachedContents/1' } }

    beforeAll(async () => {
      place = await makeGatewayPlace()
    })
    afterAll(() => place.close())

    it('is reserved for, too: of an answer that nobody here has seen as the most there can be', async () => {
      const session = await place.open(provider, { capUsd: 0.2 })
      const before = place.api.requests.length
      expect((await ask(session, asking(session, 'scene:says', kept))).status).toBe(400)
      expect(session.stop()).toMatchObject({ kind: 'over_budget' })
      expect(place.api.requests).toHaveLength(before)
    })

    it('and of one in this session as what that was', async () => {
      const taskId = newTask()
      const session = await place.open(provider, { taskId, capUsd: 0.4 })
      place.api.tokens = { input: 20_000, output: 50 }
      let answers = 0
      while (session.stop() === null && answers < 60) {
        await ask(session, asking(session, 'scene:says', answers === 0 ? {} : kept))
        answers += 1
      }
      place.api.tokens = {}
      await session.close()
      expect(answers).toBeGreaterThan(3)
      expect(session.stop()).toMatchObject({ kind: 'over_budget' })
      expect((await place.spend.of('task', taskId)).costUsd).toBeLessThanOrEqual(0.4)
    })
  },
)
