import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { noProgress } from '../../src/model/progress.ts'
import { newTaskId } from '../../src/model/task-id.ts'
import { defaultTaskOptions } from '../../src/model/task.ts'
import type { ClaimedTask } from '../../src/ports/lease.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { newTask, sha, shared, worker } from './sample.ts'

describe('the merge train', () => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await testDatabase()
  })
  afterAll(() => test.close())
  beforeEach(() => test.query('truncate tasks, runs, train, progress cascade'))

  const options = { ...defaultTaskOptions, command: 'true', merge: 'checks' as const }
  const waits = (hold: 'forge' | 'train') => ({ hold, reason: 'waits', delayMs: 3_600_000 })

  /** So many tasks of one batch, at work, in plan order. */
  async function started(count: number, merges: readonly string[] = []): Promise<ClaimedTask[]> {
    const runId = newTaskId()
    const tasks = Array.from({ length: count }, (_, order) =>
      newTask({
        options: { ...options, ...(merges[order] === 'never' ? { merge: 'never' as const } : {}) },
        place: { runId, batch: '1', batchNumber: 0, order, planTask: String(order) },
      }),
    )
    const repo = tasks[0]?.repo ?? ''
    const nothing = { base: null, planPath: null, schedule: null, scheduledFor: null }
    const run = { id: runId, title: 'A plan', repo, batches: [{ id: '1', title: 'One' }], ...nothing }
    await test.store.submit(tasks, {
      ...shared,
      run: { run: { ...run, startsUntil: null, maxCostUsd: null }, pinned: null },
    })
    const claimed: ClaimedTask[] = []
    for (const _ of tasks) claimed.push(await claim())
    return claimed
  }

  async function claim(): Promise<ClaimedTask> {
    const claimed = await test.store.claim(worker())
    if (claimed === null) throw new Error('nothing to claim')
    await test.store.pin(claimed.lease, { base: 'main', sha: sha('a') }, 'local')
    return claimed
  }

  const board = ({ lease }: ClaimedTask) => test.store.boardTrain(lease, 'main')
  const made = ({ lease }: ClaimedTask) => test.store.saveProgress(lease, noProgress)

  it('takes one at a time, and wakes the first that waits', async () => {
    const [one, two, three] = (await started(3)) as [ClaimedTask, ClaimedTask, ClaimedTask]
    expect(await board(three)).toBe('aboard')
    expect(await board(two)).toBe('taken')
    expect(await board(one)).toBe('taken')
    await test.store.park(two.lease, waits('train'))
    await test.store.park(one.lease, waits('train'))
    await test.store.leaveTrain(three.lease, 'main')
    expect((await claim()).lease.taskId).toBe(one.lease.taskId)
    expect(await test.store.claim(worker())).toBeNull()
  })

  it('takes those first whose place in the plan is earlier and whose work is made', async () => {
    const [one, two, three] = (await started(3)) as [ClaimedTask, ClaimedTask, ClaimedTask]
    await made(three)
    await made(two)
    expect(await board(three)).toBe('behind')
    // The work of the first is not made yet: nobody waits for that.
    expect(await board(two)).toBe('aboard')
    await test.store.leaveTrain(two.lease, 'main')
    await test.store.park(two.lease, waits('forge'))
    await made(one)
    expect(await board(three)).toBe('behind')
    await test.store.park(three.lease, waits('train'))
    expect(await board(one)).toBe('aboard')
  })

  it('has those look again that wait for the forge, once; who still waits then is not waited for', async () => {
    const [one, two] = (await started(2)) as [ClaimedTask, ClaimedTask]
    await made(one)
    await test.store.park(one.lease, waits('forge'))
    expect(await board(two)).toBe('behind')
    const again = await claim()
    expect(again.lease.taskId).toBe(one.lease.taskId)
    expect(await board(two)).toBe('behind')
    await test.store.park(again.lease, waits('forge'))
    expect(await board(two)).toBe('aboard')
    // The next time it is asked again.
    await test.store.leaveTrain(two.lease, 'main')
    expect(await board(two)).toBe('behind')
  })

  it('waits for nobody longer than half a minute, nor for what is not to be merged', async () => {
    const [one, two] = (await started(2)) as [ClaimedTask, ClaimedTask]
    await made(one)
    expect(await board(two)).toBe('behind')
    await test.query(`update tasks set train_since = train_since - interval '31 s'`)
    expect(await board(two)).toBe('aboard')
    const [never, other] = (await started(2, ['never'])) as [ClaimedTask, ClaimedTask]
    await made(never)
    await test.store.leaveTrain(two.lease, 'main')
    expect(await board(other)).toBe('aboard')
  })
})
