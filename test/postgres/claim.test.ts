import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClaimedTask } from '../../src/ports/lease.ts'
import type { WorkerAbilities } from '../../src/ports/worker.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { ending, newTask, shared, submitAll, worker } from './sample.ts'

let test: TestDatabase
beforeEach(async () => {
  test = await testDatabase()
})
afterEach(() => test.close())

async function claim(changes: Partial<WorkerAbilities> = {}): Promise<ClaimedTask> {
  const claimed = await test.store.claim(worker(changes))
  if (claimed === null) throw new Error('nothing to claim')
  return claimed
}

async function claimedIds(): Promise<string[]> {
  const ids: string[] = []
  for (;;) {
    const claimed = await test.store.claim(worker())
    if (claimed === null) return ids
    ids.push(claimed.task.id)
  }
}

describe('claim', () => {
  it('takes the highest priority first, and the oldest among equals', async () => {
    const tasks = [0, 5, 0, -3, 5].map((priority) => newTask({ priority }))
    await submitAll(test.store, tasks)
    const ids = tasks.map((task) => task.id)
    expect(await claimedIds()).toEqual([ids[1], ids[4], ids[0], ids[2], ids[3]])
  })

  it('gives a lease, counts the attempt, and tells of the start', async () => {
    const task = newTask()
    await submitAll(test.store, [task])
    const claimed = await claim()
    expect(claimed).toMatchObject({
      lease: { taskId: task.id, attempt: 1, workerId: 'worker-1' },
      task: { state: 'running', attempt: 1, reason: null },
      options: task.options,
      pinned: null,
      ownShas: [],
      needBranches: [],
    })
    expect(claimed.task.startedAt).not.toBeNull()
    const events = await test.store.events(task.id, { after: 0, limit: 10 })
    expect(events.at(-1)).toMatchObject({ attempt: 1, data: { state: 'running', worker: 'worker-1' } })
  })

  it('gives a worker only what it can do', async () => {
    await submitAll(test.store, [
      newTask({ agent: 'claude' }),
      newTask({ runtime: 'dagger' }),
      newTask({ repo: '/srv/repository' }),
      newTask({ repo: 'file:///srv/repository' }),
    ])
    expect(await test.store.claim(worker({ machineId: 'machine-2' }))).toBeNull()
    expect(await test.store.claim(worker({ agents: [] }))).toBeNull()
    expect((await claim({ agents: ['claude'] })).task.agent).toBe('claude')
    expect((await claim({ runtimes: ['dagger'], machineId: 'machine-2' })).task.runtime).toBe('dagger')
    expect((await claim()).task.repo).toBe('/srv/repository')
    expect((await claim()).task.repo).toBe('file:///srv/repository')
  })

  it('keeps the tasks of a run and the shared ones apart', async () => {
    const [own, common] = [newTask(), newTask()]
    await test.store.submit([own], { ...shared, pool: 'run-1' })
    await submitAll(test.store, [common])
    expect(await test.store.claim(worker({ pool: 'run-2' }))).toBeNull()
    expect((await claim({ pool: 'run-1' })).task.id).toBe(own.id)
    expect(await test.store.claim(worker({ pool: 'run-1' }))).toBeNull()
    expect((await claim()).task.id).toBe(common.id)
  })

  it('gives each task to one of many workers only', async () => {
    await submitAll(
      test.store,
      Array.from({ length: 40 }, () => newTask()),
    )
    const stores = [test.store, await test.another(), await test.another()]
    const claims = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        stores[index % 3]?.claim(worker({ workerId: `worker-${index}` })),
      ),
    )
    const ids = claims.flatMap((claimed) => claimed?.task.id ?? [])
    expect(ids).toHaveLength(40)
    expect(new Set(ids).size).toBe(40)
  })
})

describe('limits', () => {
  it('hold for all, for each repository and for each agent', async () => {
    const [one, two] = ['https://git.example.org/one.git', 'https://git.example.org/two.git']
    await submitAll(test.store, [
      newTask({ repo: one }),
      newTask({ repo: one }),
      newTask({ repo: two, agent: 'claude' }),
      newTask({ repo: two }),
    ])
    const both: Partial<WorkerAbilities> = { agents: ['command', 'claude'] }
    await test.store.setLimits({ global: null, perRepository: 1, perAgent: 1 })
    const first = await claim(both)
    expect(first.task.repo).toBe(one)
    const second = await claim(both)
    expect(second.task.agent).toBe('claude')
    expect(await test.store.claim(worker(both))).toBeNull()
    await test.store.setLimits({ global: 2, perRepository: null, perAgent: null })
    expect(await test.store.claim(worker(both))).toBeNull()
    await test.store.settle(first.lease, ending('no_changes'), null)
    expect((await claim(both)).task.repo).toBe(one)
    await test.store.setLimits({ global: 0, perRepository: null, perAgent: null })
    expect(await test.store.claim(worker(both))).toBeNull()
  })

  it('are never exceeded by workers that race, and are used in full', async () => {
    const repos = ['one', 'two', 'three'].map((name) => `https://git.example.org/${name}.git`)
    await submitAll(
      test.store,
      Array.from({ length: 60 }, (_, index) => newTask({ repo: repos[index % 3] ?? '' })),
    )
    await test.store.setLimits({ global: 5, perRepository: 2, perAgent: null })
    const stores = [test.store, await test.another(), await test.another(), await test.another()]
    const running = new Map<string, number>()
    let [done, most, mostOfOne] = [0, 0, 0]
    const full = Promise.withResolvers<void>()
    await Promise.all(
      stores.flatMap((store, index) =>
        [0, 1, 2].map(async (lane) => {
          while (done < 60) {
            const claimed = await store.claim(worker({ workerId: `worker-${index}-${lane}` }))
            if (claimed === null) continue
            const { repo } = claimed.task
            running.set(repo, (running.get(repo) ?? 0) + 1)
            most = Math.max(
              most,
              [...running.values()].reduce((sum, count) => sum + count, 0),
            )
            mostOfOne = Math.max(mostOfOne, ...running.values())
            if (most === 5) full.resolve()
            // The first ones wait in the hand until the others have come, too.
            await full.promise
            await store.record(claimed.lease, [])
            running.set(repo, (running.get(repo) ?? 0) - 1)
            await store.settle(claimed.lease, ending('no_changes'), null)
            done++
          }
        }),
      ),
    )
    expect({ most, mostOfOne, done }).toEqual({ most: 5, mostOfOne: 2, done: 60 })
  })

  it('thousands of tasks that may not start do not hide one that may', async () => {
    await test.store.setLimits({ global: null, perRepository: 1, perAgent: null })
    await submitAll(
      test.store,
      Array.from({ length: 2000 }, () => newTask()),
    )
    const other = newTask({ repo: 'https://git.example.org/two.git' })
    await submitAll(test.store, [other])
    await claim()
    expect((await claim()).task.id).toBe(other.id)
    expect(await test.store.claim(worker())).toBeNull()
  })
})

describe('tasks that touch the same paths', () => {
  it('run one after another, and the waiting one says for whom', async () => {
    const [first, second] = [
      newTask({ paths: ['src/a/**'] }),
      newTask({ paths: ['docs/x.md', 'src/a/b*.ts'] }),
    ]
    const elsewhere = newTask({ paths: ['src/b/**'] })
    await submitAll(test.store, [first, second, elsewhere])
    const running = await claim()
    expect((await claim()).task.id).toBe(elsewhere.id)
    expect(await test.store.get(second.id)).toMatchObject({
      state: 'held',
      reason: `waits for task ${first.id}, which works on the same paths`,
    })
    expect(await test.store.claim(worker())).toBeNull()
    await test.store.settle(running.lease, ending('no_changes'), null)
    expect(await test.store.get(second.id)).toMatchObject({ state: 'queued', reason: null })
    expect((await claim()).task.id).toBe(second.id)
  })

  it('overlap only in one repository, and a pattern without a literal beginning overlaps all', async () => {
    const [first, everywhere] = [newTask({ paths: ['src/a'] }), newTask({ paths: ['**/*.ts'] })]
    await submitAll(test.store, [
      first,
      everywhere,
      newTask({ paths: ['src/a'], repo: 'https://git.example.org/two.git' }),
      newTask(),
    ])
    expect(await claimedIds()).toHaveLength(3)
    expect((await test.store.get(everywhere.id))?.state).toBe('held')
  })

  it('one that waits is let go when the other fails, is handed back, or loses its worker', async () => {
    const [first, second] = [newTask({ paths: ['a'] }), newTask({ paths: ['a'] })]
    await submitAll(test.store, [first, second])
    const running = await claim()
    expect(await test.store.claim(worker())).toBeNull()
    await test.store.handBack(running.lease, 'this worker stops')
    await test.store.sweep()
    expect((await test.store.get(second.id))?.state).toBe('queued')
    const again = await claim()
    expect(again.task.id).toBe(first.id)
    expect(again.lease.attempt).toBe(2)
  })

  it('many that overlap at the front do not hide one behind them', async () => {
    await submitAll(test.store, [
      ...Array.from({ length: 700 }, () => newTask({ paths: ['a'] })),
      newTask({ paths: ['b'] }),
    ])
    await claim()
    expect((await claim()).task.paths).toEqual(['b'])
  })
})

describe('pause', () => {
  it('keeps shared tasks from starting and shows it, until resume', async () => {
    const [before, during] = [newTask(), newTask()]
    await submitAll(test.store, [before])
    await test.store.pause()
    await submitAll(test.store, [during])
    for (const task of [before, during]) {
      expect(await test.store.get(task.id)).toMatchObject({ state: 'held', reason: 'the queue is paused' })
    }
    expect(await test.store.claim(worker())).toBeNull()
    expect(await test.store.stats()).toMatchObject({ paused: true, states: { held: 2, queued: 0 } })
    await test.store.resume()
    expect(await claimedIds()).toEqual([before.id, during.id])
  })

  it('does not stop the tasks of a run', async () => {
    await test.store.pause()
    await test.store.submit([newTask()], { ...shared, pool: 'run-1' })
    expect(await test.store.claim(worker({ pool: 'run-1' }))).not.toBeNull()
  })

  it('holds what becomes ready meanwhile', async () => {
    const need = newTask()
    const dependent = newTask({ needs: [need.id] })
    await submitAll(test.store, [need, dependent])
    const running = await claim()
    await test.store.pause()
    await test.store.settle(running.lease, ending('no_changes'), null)
    expect(await test.store.get(dependent.id)).toMatchObject({ state: 'held', reason: 'the queue is paused' })
    await test.store.resume()
    expect((await claim()).task.id).toBe(dependent.id)
  })

  it('raced by submits, leaves none behind', async () => {
    const other = await test.another()
    for (let round = 0; round < 10; round++) {
      const tasks = Array.from({ length: 5 }, () => newTask())
      await Promise.all([
        test.store.pause().then(() => test.store.resume()),
        ...tasks.map((task) => submitAll(other, [task])),
      ])
      expect(await claimedIds()).toHaveLength(5)
    }
  })
})
