import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noEvidence } from '../../src/model/evidence.ts'
import type { NewTask } from '../../src/model/task.ts'
import { LeaseLost, type ClaimedTask, type Lease } from '../../src/ports/lease.ts'
import type { TaskStore } from '../../src/ports/task-store.ts'
import { UnprovenOutcome } from '../../src/postgres/settle.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { confirmed, ending, newTask, output, sha, shared, submitAll, worker } from './sample.ts'

let test: TestDatabase
beforeEach(async () => {
  test = await testDatabase({ expiredBackoffMs: [0, 0], failedBackoffMs: [0, 0] })
})
afterEach(() => test.close())

const life = { id: 'worker-1', host: 'here', pid: 1, slots: 4, agents: [], accounts: [] }

async function running(changes: Partial<NewTask> = {}): Promise<ClaimedTask> {
  await submitAll(test.store, [newTask(changes)])
  return claim()
}

async function claim(): Promise<ClaimedTask> {
  const claimed = await test.store.claim(worker())
  if (claimed === null) throw new Error('nothing to claim')
  return claimed
}

async function expire(): Promise<void> {
  await test.query("update tasks set lease_until = now() - interval '1 ms' where state = 'running'")
}

const fenced: Readonly<Record<string, (store: TaskStore, lease: Lease) => Promise<unknown>>> = {
  pin: (store, lease) => store.pin(lease, { base: 'main', sha: sha('1') }, 'local'),
  intendPush: (store, lease) => store.intendPush(lease, { branch: 'b', sha: sha('1') }),
  saveWork: (store, lease) =>
    store.saveWork(lease, {
      headSha: sha('1'),
      bundle: Buffer.from('x'),
      evidence: noEvidence(),
      conversation: null,
    }),
  saveCandidate: (store, lease) => {
    const work = { headSha: sha('1'), bundle: Buffer.from('x'), evidence: noEvidence(), conversation: null }
    return store.saveCandidate(lease, { number: 1, work })
  },
  record: (store, lease) => store.record(lease, [output('late')]),
  'record of nothing': (store, lease) => store.record(lease, []),
  settle: (store, lease) => store.settle(lease, ending('no_changes'), Buffer.from('diff')),
  retryLater: (store, lease) => store.retryLater(lease, { reason: 'late', finally: ending('error') }),
  handBack: (store, lease) => store.handBack(lease, 'late'),
  park: (store, lease) => store.park(lease, { hold: 'forge', reason: 'late', delayMs: 0 }),
}

describe('a lease that was lost', () => {
  const losses: Readonly<Record<string, (lease: Lease) => Promise<Lease>>> = {
    'by its time running out': async (lease) => {
      await expire()
      return lease
    },
    'to the next attempt': async (lease) => {
      await test.store.handBack(lease, 'this worker stops')
      await claim()
      return lease
    },
    'by the end of the task': async (lease) => {
      await test.store.settle(lease, ending('no_changes'), null)
      return lease
    },
    'since it was never this worker’s': (lease) => Promise.resolve({ ...lease, workerId: 'worker-2' }),
  }
  for (const [how, lose] of Object.entries(losses)) {
    for (const [name, write] of Object.entries(fenced)) {
      it(`${how} lets ${name} change nothing`, async () => {
        const { lease: first, task } = await running()
        const lease = await lose(first)
        const everything = async () => [
          await test.query('select * from tasks'),
          await test.query('select * from events'),
          await test.query('select * from saved_work'),
          await test.query('select * from diffs'),
        ]
        const before = await everything()
        await expect(write(test.store, lease)).rejects.toThrow(LeaseLost)
        expect(await everything()).toEqual(before)
        expect(await test.store.heartbeat({ ...life, id: lease.workerId }, [lease])).toEqual([])
        expect(task.id).toBe(lease.taskId)
      })
    }
  }
})

describe('a heartbeat', () => {
  it('extends leases, tells which were asked to end, and that the worker lives', async () => {
    const [one, two] = [await running(), await running()]
    await test.query("update tasks set lease_until = now() + interval '1 s'")
    await test.store.cancel(two.lease.taskId, 'not wanted')
    const lost = { ...one.lease, attempt: 7 }
    const beats = await test.store.heartbeat(life, [one.lease, two.lease, lost])
    expect(beats.toSorted((a, b) => (a.taskId < b.taskId ? -1 : 1))).toEqual([
      { taskId: one.lease.taskId, attempt: 1, cancelRequested: false },
      { taskId: two.lease.taskId, attempt: 1, cancelRequested: true },
    ])
    const { agents: _agents, accounts: _accounts, ...shown } = life
    const left = await test.query("select lease_until > now() + interval '5 s' as extended from tasks")
    expect(left).toEqual([{ extended: true }, { extended: true }])
    expect((await test.store.stats()).workers).toMatchObject([{ ...shown, running: 2 }])
    await test.store.leave('worker-1')
    expect((await test.store.stats()).workers).toEqual([])
  })

  it('of a worker without tasks counts too, and one that died is forgotten after an hour', async () => {
    await test.store.heartbeat(life, [])
    await test.query("update workers set seen_at = now() - interval '50 minutes'")
    await test.store.sweep()
    expect((await test.store.stats()).workers).toHaveLength(1)
    await test.query("update workers set seen_at = now() - interval '61 minutes'")
    await test.store.sweep()
    expect((await test.store.stats()).workers).toEqual([])
  })
})

describe('what an attempt keeps', () => {
  it('the pinned base and the saved work reach the next attempt, and are not for sale', async () => {
    const { lease } = await running()
    await test.store.pin(lease, { base: 'main', sha: sha('1') }, 'local')
    await expect(test.store.pin(lease, { base: 'main', sha: sha('2') }, 'local')).rejects.toThrow(
      /is pinned to/,
    )
    expect(await test.store.savedWork(lease)).toBeNull()
    const work = {
      headSha: sha('2'),
      bundle: Buffer.from([0, 1, 255]),
      evidence: confirmed(sha('2')),
      conversation: { id: 'said before', archive: Buffer.from([255, 0, 7]) },
    }
    await test.store.saveWork(lease, { ...work, bundle: Buffer.from('older'), conversation: null })
    await test.store.saveWork(lease, work)
    await test.store.handBack(lease, 'this worker stops')
    const next = await claim()
    expect(next).toMatchObject({
      lease: { attempt: 2 },
      pinned: { base: 'main', sha: sha('1') },
      task: { base: 'main', runtime: 'local' },
    })
    expect(await test.store.savedWork(next.lease)).toEqual(work)
    // What was asked for stays what it was, for doing it again.
    expect(await test.store.submissionOf(lease.taskId)).toMatchObject({ base: null, runtime: 'auto' })
    await test.store.settle(next.lease, ending('no_changes'), null)
    expect(await test.query('select * from saved_work')).toEqual([])
  })

  it('the work of a task that ended badly is kept for a person, for as long as was set', async () => {
    const { lease } = await running()
    const work = {
      headSha: sha('2'),
      bundle: Buffer.from([0, 1, 255]),
      evidence: noEvidence(),
      conversation: null,
    }
    await test.store.saveWork(lease, work)
    await test.store.settle(lease, ending('rejected'), null)
    const { headSha, bundle } = work
    expect(await test.store.bundle(lease.taskId)).toEqual({ headSha, bundle })
    await test.query("update tasks set ended_at = now() - interval '13 days'")
    await test.store.sweep()
    expect(await test.store.bundle(lease.taskId)).toEqual({ headSha, bundle })
    await test.query("update tasks set ended_at = now() - interval '15 days'")
    await test.store.sweep()
    expect(await test.store.bundle(lease.taskId)).toBeNull()
  })

  it('every SHA that was meant for its branch is known as its own, in a retry of the task as well', async () => {
    const { lease, task } = await running()
    await test.store.intendPush(lease, { branch: task.branch, sha: sha('1') })
    await test.store.intendPush(lease, { branch: 'other', sha: sha('2') })
    await test.store.intendPush(lease, { branch: task.branch, sha: sha('3') })
    await test.store.intendPush(lease, { branch: task.branch, sha: sha('1') })
    await test.store.handBack(lease, 'this worker stops')
    const next = await claim()
    expect(next.ownShas).toEqual([sha('1'), sha('3')])
    await test.store.settle(next.lease, ending('agent_failed'), null)
    const again = await running({ retryOf: task.id, branch: task.branch })
    await test.store.intendPush(again.lease, { branch: task.branch, sha: sha('4') })
    await test.store.handBack(again.lease, 'this worker stops')
    expect((await claim()).ownShas).toEqual([sha('1'), sha('3'), sha('4')])
  })
})

describe('settle', () => {
  it('ends the task with its outcome, evidence and diff, once', async () => {
    const { lease, task } = await running()
    await test.store.intendPush(lease, { branch: task.branch, sha: sha('a') })
    const diff = Buffer.from('diff --git a/x b/x\n'.repeat(1000))
    const evidence = { ...confirmed(sha('a')), files: ['a\0b', 'ü'] }
    await test.store.settle(lease, { outcome: 'pushed', reason: null, evidence }, diff)
    const done = await test.store.get(task.id)
    expect(done).toMatchObject({ state: 'done', outcome: 'pushed', reason: null })
    expect(done?.evidence).toEqual({ ...evidence, files: ['a\ufffdb', 'ü'] })
    expect(Object.keys(done?.evidence ?? {}).slice(0, 3)).toEqual(['baseSha', 'headSha', 'confirmedAt'])
    expect(done?.endedAt).not.toBeNull()
    expect(await test.store.diff(task.id)).toEqual(diff)
    expect(await test.store.diff('nobody')).toBeNull()
    await expect(test.store.settle(lease, ending('no_changes'), null)).rejects.toThrow(LeaseLost)
  })

  for (const outcome of ['pushed', 'open', 'merged'] as const) {
    it(`refuses ${outcome} without a confirmed SHA, or with one that was never meant to be pushed`, async () => {
      const { lease, task } = await running()
      await expect(test.store.settle(lease, ending(outcome), null)).rejects.toThrow(UnprovenOutcome)
      const unconfirmed = { ...confirmed(sha('a')), confirmedAt: null }
      const pushed = { outcome, reason: null }
      await expect(test.store.settle(lease, { ...pushed, evidence: unconfirmed }, null)).rejects.toThrow(
        UnprovenOutcome,
      )
      await test.store.intendPush(lease, { branch: 'other', sha: sha('a') })
      await test.store.intendPush(lease, { branch: task.branch, sha: sha('b') })
      const evidence = confirmed(sha('a'))
      await expect(test.store.settle(lease, { ...pushed, evidence }, null)).rejects.toThrow(UnprovenOutcome)
      expect((await test.store.get(task.id))?.state).toBe('running')
    })
  }

  it('the database itself refuses lies', async () => {
    const { task } = await running()
    const where = `where id = '${task.id}'`
    const lies = [
      `update tasks set state = 'done' ${where}`,
      `update tasks set outcome = 'pushed' ${where}`,
      `update tasks set state = 'queued' ${where}`,
      `update tasks set worker_id = null ${where}`,
      `update tasks set state = 'held', worker_id = null, lease_until = null ${where}`,
      `update tasks set state = 'done', worker_id = null, lease_until = null, ended_at = now(), outcome = 'pushed',
        evidence = '{"headSha": "x", "confirmedAt": "y"}' ${where}`,
      `update tasks set state = 'done', worker_id = null, lease_until = null, ended_at = now(), outcome = 'merged',
        intended = array['x ' || branch], evidence = '{"headSha": "x"}' ${where}`,
    ]
    for (const lie of lies) await expect(test.query(lie)).rejects.toThrow(/check constraint/)
  })
})

describe('the budget of crashes', () => {
  it('a lease that expired sends the task into its next attempt, until the budget is spent', async () => {
    const { task } = await running()
    for (const attempt of [1, 2]) {
      expect(await test.store.sweep()).toBe(0)
      await expire()
      expect(await test.store.sweep()).toBe(1)
      expect(await test.store.get(task.id)).toMatchObject({ state: 'queued', attempt })
      expect((await claim()).lease.attempt).toBe(attempt + 1)
    }
    await expire()
    await test.store.sweep()
    expect(await test.store.get(task.id)).toMatchObject({
      state: 'done',
      outcome: 'error',
      reason: 'the worker of attempt 3 stopped answering; given up after 2 retries',
      attempt: 3,
    })
  })

  it('is one for dead workers and for failures that were told', async () => {
    const { lease } = await running()
    const failure = { reason: 'disk full', finally: ending('error', { reason: 'disk full' }) }
    expect(await test.store.retryLater(lease, failure)).toBe('retried')
    await claim()
    await expire()
    await test.store.sweep()
    const last = await claim()
    expect(await test.store.retryLater(last.lease, failure)).toBe('ended')
    expect(await test.store.get(lease.taskId)).toMatchObject({ outcome: 'error', reason: 'disk full' })
  })

  it('does not count what was handed back', async () => {
    let { lease } = await running()
    for (let round = 0; round < 5; round++) {
      await test.store.handBack(lease, 'this worker stops')
      lease = (await claim()).lease
    }
    expect(lease.attempt).toBe(6)
    await expire()
    await test.store.sweep()
    expect((await test.store.get(lease.taskId))?.state).toBe('queued')
  })

  it('a retry waits as long as it was told, says why, and starts by a claim or a sweep', async () => {
    const slow = await test.another({ failedBackoffMs: [60_000] })
    const { lease } = await running()
    await slow.retryLater(lease, { reason: 'disk full', finally: ending('error') })
    expect(await test.store.get(lease.taskId)).toMatchObject({
      state: 'held',
      reason: 'tried again in 60 s: disk full',
    })
    expect(await test.store.sweep()).toBe(0)
    expect(await test.store.claim(worker())).toBeNull()
    await test.query("update tasks set due_at = now() - interval '1 ms'")
    const next = await claim()
    expect(next.lease.attempt).toBe(2)
    expect(next.task.reason).toBeNull()
  })
})

describe('cancel', () => {
  it('ends a queued and a held task at once, with the reason, and skips dependents', async () => {
    const [queued, held] = [newTask(), newTask()]
    held.needs = [queued.id]
    await submitAll(test.store, [queued, held])
    const task = await test.store.cancel(queued.id, 'not wanted')
    expect(task).toMatchObject({ state: 'done', outcome: 'cancelled', reason: 'not wanted' })
    expect(task?.cancelRequestedAt).not.toBeNull()
    expect(await test.store.get(held.id)).toMatchObject({ outcome: 'skipped' })
    expect(await test.store.claim(worker())).toBeNull()
  })

  it('asks the worker of a running task, once', async () => {
    const { lease, task } = await running()
    expect(await test.store.cancel(task.id, 'not wanted')).toMatchObject({ state: 'running' })
    const asked = await test.store.cancel(task.id, 'another reason')
    const events = await test.store.events(task.id, { after: 0, limit: 10 })
    expect(events.filter((event) => event.text.startsWith('asked to end'))).toHaveLength(1)
    expect(asked?.cancelRequestedAt).toBe((await test.store.get(task.id))?.cancelRequestedAt)
    await test.store.settle(lease, ending('cancelled', { reason: 'not wanted' }), null)
    expect(await test.store.cancel(task.id, 'once more')).toMatchObject({ outcome: 'cancelled' })
  })

  const ends: Readonly<Record<string, (lease: Lease) => Promise<unknown>>> = {
    'its worker dies': () => expire().then(() => test.store.sweep()),
    'it is handed back': (lease) => test.store.handBack(lease, 'this worker stops'),
    'it fails': (lease) => test.store.retryLater(lease, { reason: 'disk full', finally: ending('error') }),
  }
  for (const [what, end] of Object.entries(ends)) {
    it(`a running task that was cancelled ends cancelled when ${what}`, async () => {
      const { lease, task } = await running()
      await test.store.saveWork(lease, {
        headSha: sha('1'),
        bundle: Buffer.from('x'),
        conversation: null,
        evidence: confirmed(sha('1')),
      })
      await test.store.cancel(task.id, 'not wanted')
      await end(lease)
      expect(await test.store.get(task.id)).toMatchObject({
        outcome: 'cancelled',
        reason: 'not wanted',
        evidence: { headSha: sha('1') },
      })
    })
  }

  it('answers null for a task that is not there, and leaves a done one as it is', async () => {
    expect(await test.store.cancel('nobody', 'x')).toBeNull()
    expect(await test.store.cancel('a\0b', 'x')).toBeNull()
    const { lease, task } = await running()
    await test.store.settle(lease, ending('no_changes'), null)
    expect(await test.store.cancel(task.id, 'x')).toMatchObject({
      outcome: 'no_changes',
      cancelRequestedAt: null,
    })
  })

  it('and settle at the same moment give one end', async () => {
    for (let round = 0; round < 20; round++) {
      const { lease, task } = await running()
      await Promise.allSettled([
        test.store.cancel(task.id, 'not wanted'),
        test.store.settle(lease, ending('no_changes'), null),
      ])
      expect(await test.store.get(task.id)).toMatchObject({ state: 'done', outcome: 'no_changes' })
      const events = await test.store.events(task.id, { after: 0, limit: 100 })
      expect(events.filter((event) => event.data['state'] === 'done')).toHaveLength(1)
    }
  })
})

describe('the private tasks of a run', () => {
  const own = { ...shared, pool: 'run-1' }

  it('live as long as the run says so', async () => {
    const task = newTask()
    await test.store.submit([task], own)
    await test.query("update pools set alive_until = now() - interval '1 ms'")
    await test.store.keepPool('run-1')
    expect(await test.store.sweep()).toBe(0)
    expect((await test.store.get(task.id))?.state).toBe('queued')
  })

  it('end when the run is gone: waiting ones at once, running ones with their lease', async () => {
    const [first, second, third] = [newTask(), newTask(), newTask()]
    third.needs = [second.id]
    await test.store.submit([first, second, third], own)
    const claimed = await test.store.claim(worker({ pool: 'run-1' }))
    expect(claimed?.task.id).toBe(first.id)
    await test.query("update pools set alive_until = now() - interval '1 ms'")
    await test.store.sweep()
    const gone = { outcome: 'cancelled', reason: 'the run it belonged to is gone' }
    expect(await test.store.get(second.id)).toMatchObject(gone)
    expect(await test.store.get(third.id)).toMatchObject(gone)
    expect((await test.store.get(first.id))?.state).toBe('running')
    await expire()
    await test.store.sweep()
    expect(await test.store.get(first.id)).toMatchObject(gone)
    await test.store.sweep()
    expect(await test.query('select * from pools')).toEqual([])
  })
})
