import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { NewRun } from '../../src/model/run.ts'
import { newTaskId } from '../../src/model/task-id.ts'
import type { NewTask, Task } from '../../src/model/task.ts'
import type { RunStore } from '../../src/ports/run-store.ts'
import { openRunStore } from '../../src/postgres/run-store.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { confirmed, ending, newTask, sha, shared, worker } from './sample.ts'

let test: TestDatabase
let runs: RunStore

beforeAll(async () => {
  test = await testDatabase()
  runs = openRunStore(test.database)
})
afterAll(() => test.close())
beforeEach(() => test.query('truncate tasks, task_needs, runs, run_pins cascade'))

/** Batches of tasks by the ids that a plan gives them; `b<a` needs a. */
async function start(...batches: readonly (readonly string[])[]): Promise<Record<string, Task>> {
  const runId = newTaskId()
  const ids = new Map<string, string>()
  let order = 0
  const tasks = batches.flatMap((batch, batchNumber) =>
    batch.map((text): NewTask => {
      const [planTask = '', ...needs] = text.split('<')
      const task = newTask({
        needs: needs.map((need) => ids.get(need) ?? need),
        place: { runId, batch: String(batchNumber + 1), batchNumber, order: order++, planTask },
      })
      ids.set(planTask, task.id)
      return task
    }),
  )
  const run: NewRun = {
    id: runId,
    title: 'A plan',
    repo: tasks[0]?.repo ?? '',
    base: null,
    planPath: null,
    schedule: null,
    scheduledFor: null,
    batches: batches.map((_batch, index) => ({ id: String(index + 1), title: `Part ${index + 1}` })),
    startsUntil: null,
    maxCostUsd: null,
  }
  const answer = await test.store.submit(tasks, { ...shared, run: { run, pinned: null } })
  if (!answer.accepted) throw new Error(JSON.stringify(answer.refusal))
  return Object.fromEntries(answer.tasks.map((task) => [task.planTask ?? '', task]))
}

async function claim() {
  return test.store.claim(worker())
}

async function claimAll() {
  const claimed = []
  for (let next = await claim(); next !== null; next = await claim()) claimed.push(next)
  return claimed
}

/** The states of tasks by plan id, e.g. `a done/pushed, b held/batch`. */
async function states(): Promise<string> {
  const rows = await test.query(
    `select plan_task, state, coalesce(outcome, hold) as more from tasks order by plan_order, id`,
  )
  return rows
    .map((row) => `${row['plan_task']} ${row['state']}${row['more'] === null ? '' : `/${row['more']}`}`)
    .join(', ')
}

async function end(
  claimed: { lease: Parameters<TestDatabase['store']['settle']>[0] },
  outcome: 'no_changes' | 'error',
) {
  await test.store.settle(claimed.lease, ending(outcome), null)
}

describe('the batches of a run', () => {
  it('start one after the other, each when all tasks of the one before have ended, however they did', async () => {
    const tasks = await start(['a', 'b'], ['c', 'd'], ['e'])
    expect(await states()).toBe('a queued, b queued, c held/batch, d held/batch, e held/batch')
    expect(tasks['c']?.reason).toBe('waits for the end of batch 1')
    expect(tasks['e']?.reason).toBe('waits for the end of batch 2')
    const [a, b] = await claimAll()
    if (a === undefined || b === undefined) throw new Error('two can start')
    await end(a, 'error')
    expect(await states()).toBe('a done/error, b running, c held/batch, d held/batch, e held/batch')
    await end(b, 'no_changes')
    expect(await states()).toBe('a done/error, b done/no_changes, c queued, d queued, e held/batch')
    for (const claimed of await claimAll()) await end(claimed, 'no_changes')
    expect(await states()).toContain('e queued')
  })

  it('start exactly once when the last two tasks of a batch end at the same moment', async () => {
    for (let round = 0; round < 10; round += 1) {
      await test.query('truncate tasks, task_needs, runs, run_pins cascade')
      await start(['a', 'b', 'c', 'd'], ['e'])
      const claimed = await claimAll()
      expect(claimed).toHaveLength(4)
      await Promise.all(claimed.map((one) => end(one, 'no_changes')))
      expect(await states()).toContain('e queued')
    }
  })

  it('let tasks of a later batch wait for their needs, and skip those whose need ended badly', async () => {
    await start(['a', 'b'], ['c<a', 'd<b', 'e<c'], ['f<d', 'g'])
    const [a, b] = await claimAll()
    if (a === undefined || b === undefined) throw new Error('two can start')
    await end(b, 'error')
    await end(a, 'no_changes')
    expect(await states()).toBe(
      'a done/no_changes, b done/error, c queued, d done/skipped, e held/needs, f held/batch, g held/batch',
    )
    for (const one of await claimAll()) await end(one, 'no_changes')
    for (const one of await claimAll()) await end(one, 'no_changes')
    expect(await states()).toContain('f done/skipped, g queued')
    const [skipped] = await test.query("select reason from tasks where plan_task = 'f'")
    expect(skipped?.['reason']).toMatch(
      /^it needs task \w+, which ended skipped, because task \w+ ended error$/,
    )
  })

  it('of which all tasks are skipped let the next one start', async () => {
    await start(['a'], ['b<a', 'c<b'], ['d'])
    const [a] = await claimAll()
    if (a === undefined) throw new Error('one can start')
    await end(a, 'error')
    expect(await states()).toBe('a done/error, b done/skipped, c done/skipped, d queued')
  })

  it('start at the next sweep where nobody let them go', async () => {
    await start(['a'], ['b'])
    await test.query(
      `update tasks set state = 'done', outcome = 'no_changes', ended_at = now(), evidence = '{}' where plan_task = 'a'`,
    )
    expect(await test.store.sweep()).toBe(1)
    expect(await states()).toBe('a done/no_changes, b queued')
  })

  it('wait for a pause to end, too', async () => {
    await start(['a'], ['b'])
    const [a] = await claimAll()
    if (a === undefined) throw new Error('one can start')
    await test.store.pause()
    await end(a, 'no_changes')
    expect(await states()).toBe('a done/no_changes, b held/pause')
    await test.store.resume()
    expect(await states()).toBe('a done/no_changes, b queued')
  })
})

describe('where a task of a run starts', () => {
  it('is one commit for all, the first that any of them told, until something was merged', async () => {
    await start(['a', 'b'], ['c', 'd'], ['e'])
    const [a, b] = await claimAll()
    if (a === undefined || b === undefined) throw new Error('two can start')
    expect(a.runBase).toEqual({ group: 0, firstBatch: true, pinned: null })
    expect(await test.store.pinRun(a.lease, 0, { base: 'main', sha: sha('1') })).toEqual({
      base: 'main',
      sha: sha('1'),
    })
    expect(await test.store.pinRun(b.lease, 0, { base: 'main', sha: sha('2') })).toMatchObject({
      sha: sha('1'),
    })
    await end(a, 'no_changes')
    await test.store.intendPush(b.lease, { branch: b.task.branch, sha: sha('3') })
    await test.store.settle(b.lease, ending('pushed', { evidence: confirmed(sha('3')) }), null)
    const [c, d] = await claimAll()
    if (c === undefined || d === undefined) throw new Error('two can start')
    expect(c.runBase).toEqual({ group: 0, firstBatch: false, pinned: { base: 'main', sha: sha('1') } })
    await test.store.intendPush(c.lease, { branch: c.task.branch, sha: sha('4') })
    await test.store.settle(c.lease, ending('merged', { evidence: confirmed(sha('4')) }), null)
    await end(d, 'no_changes')
    const [e] = await claimAll()
    expect(e?.runBase).toEqual({ group: 2, firstBatch: false, pinned: null })
  })
})

describe('a run', () => {
  it('is told from its tasks', async () => {
    const { a } = await start(['a', 'b'], ['c'])
    const id = a?.runId ?? ''
    expect(await runs.find(id)).toMatchObject({ id, state: 'queued', ok: null, tasks: 3, startedAt: null })
    const [one, two] = await claimAll()
    if (one === undefined || two === undefined) throw new Error('two can start')
    expect(await runs.find(id.slice(-8).toLowerCase())).toMatchObject({
      state: 'running',
      states: { running: 2, held: 1, queued: 0, done: 0 },
    })
    await end(one, 'no_changes')
    await end(two, 'error')
    const [three] = await claimAll()
    if (three === undefined) throw new Error('one can start')
    expect(await runs.find(id)).toMatchObject({ state: 'running', endedAt: null })
    await end(three, 'no_changes')
    expect(await runs.find(id)).toMatchObject({
      state: 'done',
      ok: false,
      outcomes: { no_changes: 2, error: 1 },
      endedAt: expect.stringMatching(/Z$/) as string,
    })
    const { items } = await runs.list({ limit: 10 })
    expect(items.map((run) => run.id)).toEqual([id])
    expect(await runs.batches(id)).toMatchObject({
      id,
      state: 'done',
      ok: false,
      batches: [
        {
          id: '1',
          number: 1,
          title: 'Part 1',
          state: 'done',
          ok: false,
          tasks: [{ planTask: 'a' }, { planTask: 'b' }],
        },
        { id: '2', number: 2, title: 'Part 2', state: 'done', ok: true, tasks: [{ planTask: 'c' }] },
      ],
    })
  })

  it('shows the last try of a task, and takes no second try of one', async () => {
    const { a } = await start(['a'], ['b'])
    const id = a?.runId ?? ''
    const [one] = await claimAll()
    if (one === undefined) throw new Error('one can start')
    await end(one, 'error')
    const before = await test.store.submissionOf(one.task.id)
    if (before === null) throw new Error('it is kept')
    const again = { ...before, id: newTaskId(), branch: 'again', retryOf: before.id }
    expect(await test.store.submit([again], shared)).toMatchObject({ accepted: true })
    expect(await runs.find(id)).toMatchObject({ tasks: 2, states: { done: 0, queued: 2 } })
    const other = { ...again, id: newTaskId(), branch: 'other' }
    expect(await test.store.submit([other], shared)).toEqual({
      accepted: false,
      refusal: { kind: 'already_retried', ids: [one.task.id] },
    })
    expect((await runs.history(id)).map(({ task, outcome }) => [task.place?.planTask, outcome])).toEqual([
      ['a', 'error'],
      ['a', null],
      ['b', null],
    ])
  })
})
