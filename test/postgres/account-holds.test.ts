import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTaskOptions, type NewTask } from '../../src/model/task.ts'
import type { WorkerAbilities, WorkerLife } from '../../src/ports/worker.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { eventsOf } from '../support/worker.ts'
import { newTask, submitAll, worker } from './sample.ts'

let test: TestDatabase
beforeEach(async () => {
  test = await testDatabase()
})
afterEach(() => test.close())

const agents = ['claude', 'codex', 'opencode', 'command'] as const
const closed = { reason: 'the limit is reached', delayMs: 3_600_000 }

/** A worker with a login for each of these providers. */
function withAccounts(anthropic: string, changes: Partial<WorkerAbilities> = {}): WorkerAbilities {
  const accounts = [
    { provider: 'anthropic' as const, account: anthropic },
    { provider: 'openai' as const, account: 'openai:1' },
  ]
  return worker({ agents, accounts, ...changes })
}

async function says(who: WorkerAbilities): Promise<void> {
  const life: WorkerLife = { id: who.workerId, host: 'here', pid: 1, slots: 4, ...who }
  await test.store.heartbeat(life, [])
}

function asking(agent: NewTask['agent'], model: string | null = null): NewTask {
  return newTask({ agent, options: { ...defaultTaskOptions, model } })
}

async function states(ids: readonly string[]): Promise<unknown[]> {
  const tasks = await Promise.all(ids.map((id) => test.store.get(id)))
  return tasks.map((task) => task?.state)
}

describe('an account that is closed', () => {
  it('holds all that waits for its provider, says why, and lets the others go on', async () => {
    const me = withAccounts('anthropic:1')
    await says(me)
    const held = await submitAll(test.store, [
      asking('claude'),
      asking('claude'),
      asking('opencode', 'anthropic/some-model'),
    ])
    const free = await submitAll(test.store, [
      asking('codex'),
      asking('command'),
      asking('opencode', 'openai/some'),
    ])
    await test.store.holdAccount('anthropic:1', closed)
    expect(await states(held)).toEqual(['held', 'held', 'held'])
    expect(await test.store.get(held[0] ?? '')).toMatchObject({ reason: 'the limit is reached' })
    for (const id of free) expect((await test.store.claim(me))?.task.id).toBe(id)
    expect(await test.store.claim(me)).toBeNull()
    const { holds } = await test.store.stats()
    expect(holds).toMatchObject([{ account: 'anthropic:1', reason: 'the limit is reached' }])
  })

  it('holds what comes later, too, however often the queue is looked at', async () => {
    const me = withAccounts('anthropic:1')
    await says(me)
    await test.store.holdAccount('anthropic:1', closed)
    const [id = ''] = await submitAll(test.store, [asking('claude')])
    expect(await test.store.claim(me)).toBeNull()
    await test.store.sweep()
    await test.store.sweep()
    expect(await states([id])).toEqual(['held'])
    const told = (await eventsOf(test, id)).filter((event) => event.data['hold'] === 'quota')
    expect(told).toHaveLength(1)
  })

  it('lets all go on by themselves when its time is over', async () => {
    const me = withAccounts('anthropic:1')
    await says(me)
    const ids = await submitAll(test.store, [asking('claude'), asking('claude')])
    await test.store.holdAccount('anthropic:1', { ...closed, delayMs: 400 })
    expect(await states(ids)).toEqual(['held', 'held'])
    const claimed: (string | undefined)[] = []
    await expect
      .poll(
        async () => {
          const next = await test.store.claim(me)
          if (next !== null) claimed.push(next.task.id)
          return claimed
        },
        { timeout: 20_000 },
      )
      .toEqual(ids)
  })

  it('is one hold, however many tasks have run into it; the longest counts', async () => {
    await says(withAccounts('anthropic:1'))
    await test.store.holdAccount('anthropic:1', closed)
    const [first] = (await test.store.stats()).holds
    for (let times = 0; times < 8; times += 1) {
      await test.store.holdAccount('anthropic:1', { reason: 'a shorter one', delayMs: 1000 })
    }
    expect((await test.store.stats()).holds).toEqual([first])
  })

  it('is none for a worker that has another account', async () => {
    const closedHere = withAccounts('anthropic:1')
    const open = withAccounts('anthropic:2', { workerId: 'worker-2' })
    await says(closedHere)
    await says(open)
    const [id] = await submitAll(test.store, [asking('claude')])
    await test.store.holdAccount('anthropic:1', closed)
    expect(await test.store.claim(closedHere)).toBeNull()
    expect((await test.store.claim(open))?.task.id).toBe(id)
  })

  it('no longer holds anything when a worker with another account comes', async () => {
    await says(withAccounts('anthropic:1'))
    const [id = ''] = await submitAll(test.store, [asking('claude')])
    await test.store.holdAccount('anthropic:1', closed)
    expect(await states([id])).toEqual(['held'])
    await says(withAccounts('anthropic:2', { workerId: 'worker-2' }))
    await test.store.sweep()
    expect(await states([id])).toEqual(['queued'])
  })

  it('does not keep a task from being cancelled', async () => {
    await says(withAccounts('anthropic:1'))
    const [id = ''] = await submitAll(test.store, [asking('claude')])
    await test.store.holdAccount('anthropic:1', closed)
    await test.store.cancel(id, 'not needed')
    expect(await test.store.get(id)).toMatchObject({ state: 'done', outcome: 'cancelled' })
  })
})

describe('an agent that cannot work here', () => {
  const lame = worker({ workerId: 'lame', agents: ['command'], lacking: ['claude'] })

  it('is left to a worker that has it', async () => {
    await says(withAccounts('anthropic:1', { workerId: 'able' }))
    const [id] = await submitAll(test.store, [asking('claude')])
    expect(await test.store.claim(lame)).toBeNull()
    expect((await test.store.claim(withAccounts('anthropic:1', { workerId: 'able' })))?.task.id).toBe(id)
  })

  it('is taken all the same where nobody has it, so that somebody says so', async () => {
    await says(lame)
    const [id] = await submitAll(test.store, [asking('claude')])
    expect((await test.store.claim(lame))?.task.id).toBe(id)
  })

  it('is not left to one that takes other tasks only', async () => {
    await says(withAccounts('anthropic:1', { workerId: 'of a run', pool: 'run' }))
    const [id] = await submitAll(test.store, [asking('claude')])
    expect((await test.store.claim(lame))?.task.id).toBe(id)
  })
})
