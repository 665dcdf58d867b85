import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forgetOld } from '../../src/postgres/retention.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { quiet } from '../support/quiet.ts'
import { ending, newTask, output, submitAll, worker } from './sample.ts'

const dayMs = 86_400_000

describe('what is older than it is to be kept', () => {
  let test: TestDatabase
  beforeEach(async () => {
    test = await testDatabase()
  })
  afterEach(() => test.close())

  async function ended(daysAgo: number): Promise<string> {
    await submitAll(test.store, [newTask()])
    const claimed = await test.store.claim(worker())
    if (claimed === null) throw new Error('nothing to claim')
    const { lease } = claimed
    await test.store.record(lease, [output('line\n'), { type: 'note', step: null, text: 'note', data: {} }])
    await test.store.settle(lease, ending('no_changes'), Buffer.from('diff'))
    await test.query(
      `update tasks set ended_at = now() - interval '${daysAgo} days' where id = '${lease.taskId}'`,
    )
    return lease.taskId
  }

  const kept = async (id: string) => {
    const events = await test.store.events(id, { after: 0, limit: 100 })
    return {
      output: events.some((event) => event.type === 'output'),
      notes: events.some((event) => event.type === 'note'),
      diff: (await test.store.diff(id)) !== null,
      task: (await test.store.get(id))?.outcome,
    }
  }

  it('goes kind by kind after its own time; tasks stay, and so does what is not over', async () => {
    const young = await ended(1)
    const middle = await ended(40)
    const old = await ended(200)
    await submitAll(test.store, [newTask()])
    const running = await test.store.claim(worker())
    if (running === null) throw new Error('nothing to claim')
    await test.store.record(running.lease, [output('still here\n')])
    await test.query("update tasks set created_at = now() - interval '300 days'")
    const retention = { outputMs: 30 * dayMs, eventsMs: 90 * dayMs, diffsMs: 90 * dayMs }
    await forgetOld(test.database, retention, quiet)
    expect(await kept(young)).toEqual({ output: true, notes: true, diff: true, task: 'no_changes' })
    expect(await kept(middle)).toEqual({ output: false, notes: true, diff: true, task: 'no_changes' })
    expect(await kept(old)).toEqual({ output: false, notes: false, diff: false, task: 'no_changes' })
    expect((await kept(running.lease.taskId)).output).toBe(true)
  })

  it('stays where it is to be kept for ever', async () => {
    const old = await ended(4000)
    await forgetOld(test.database, { outputMs: null, eventsMs: null, diffsMs: null }, quiet)
    expect(await kept(old)).toEqual({ output: true, notes: true, diff: true, task: 'no_changes' })
  })
})
