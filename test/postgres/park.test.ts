import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noProgress } from '../../src/model/progress.ts'
import type { ClaimedTask } from '../../src/ports/lease.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { newTask, submitAll, worker } from './sample.ts'

let test: TestDatabase
beforeEach(async () => {
  test = await testDatabase()
})
afterEach(() => test.close())

async function claim(): Promise<ClaimedTask | null> {
  return test.store.claim(worker())
}

async function running(): Promise<ClaimedTask> {
  await submitAll(test.store, [newTask()])
  const claimed = await claim()
  if (claimed === null) throw new Error('nothing to claim')
  return claimed
}

describe('a parked task', () => {
  it('holds no slot and says what it waits for', async () => {
    const { lease } = await running()
    await test.store.park(lease, { hold: 'forge', reason: 'waits for checks', delayMs: 60_000 })
    const task = await test.store.get(lease.taskId)
    expect(task).toMatchObject({ state: 'held', attempt: 1 })
    expect(task?.reason).toContain('waits for checks')
    expect(await claim()).toBeNull()
  })

  it('is claimed again with a new token when its time is over', async () => {
    const { lease } = await running()
    await test.store.park(lease, { hold: 'quota', reason: 'limit reached', delayMs: 1 })
    await expect.poll(claim, { timeout: 5000 }).toMatchObject({ lease: { attempt: 2 } })
  })

  it('goes on at once when it is woken', async () => {
    const { lease } = await running()
    await test.store.park(lease, { hold: 'forge', reason: 'waits for checks', delayMs: 3_600_000 })
    await test.store.wake(lease.taskId)
    expect(await claim()).toMatchObject({ lease: { attempt: 2 } })
  })

  it('spends neither budget, however often it waits', async () => {
    let lease = (await running()).lease
    for (let times = 0; times < 10; times += 1) {
      await test.store.park(lease, { hold: 'train', reason: 'waits for its turn', delayMs: 0 })
      const again = await claim()
      if (again === null) throw new Error('not claimed')
      lease = again.lease
    }
    const rows = await test.query(`select crashes from tasks where id = '${lease.taskId}'`)
    expect(rows).toEqual([{ crashes: 0 }])
  })

  it('looks again at once where the forge told of something while it looked', async () => {
    let { lease } = await running()
    const pullRequest = {
      slug: 'github.com/team/project',
      number: 7,
      url: 'https://github.com/team/project/7',
    }
    await test.store.saveProgress(lease, { ...noProgress, pullRequest })
    const told = { slug: pullRequest.slug, number: 7, sha: null }
    expect(await test.store.hear({ id: 'one', ...told })).toBe(0)
    await test.store.park(lease, { hold: 'forge', reason: 'waits for checks', delayMs: 3_600_000 })
    const again = await claim()
    expect(again).toMatchObject({ lease: { attempt: 2 } })
    // Once: the next wait is a wait.
    lease = again?.lease ?? lease
    await test.store.park(lease, { hold: 'forge', reason: 'waits for checks', delayMs: 3_600_000 })
    expect(await claim()).toBeNull()
    expect(await test.store.hear({ id: 'one', ...told })).toBe(0)
    expect(await test.store.hear({ id: 'two', ...told })).toBe(1)
  })

  it('ends cancelled at once when a person says so', async () => {
    const { lease } = await running()
    await test.store.park(lease, { hold: 'forge', reason: 'waits', delayMs: 3_600_000 })
    await test.store.cancel(lease.taskId, 'not needed')
    expect(await test.store.get(lease.taskId)).toMatchObject({ state: 'done', outcome: 'cancelled' })
  })
})

it('waking a task that is not parked changes nothing', async () => {
  const { lease } = await running()
  await test.store.wake(lease.taskId)
  expect(await test.store.get(lease.taskId)).toMatchObject({ state: 'running' })
})
