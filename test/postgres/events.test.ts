import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ClaimedTask } from '../../src/ports/lease.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { ending, newTask, output, submitAll, worker } from './sample.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await testDatabase({ maxOutputBytes: 1000 })
})
afterAll(() => test.close())

async function running(): Promise<ClaimedTask> {
  await submitAll(test.store, [newTask()])
  const claimed = await test.store.claim(worker())
  if (claimed === null) throw new Error('nothing to claim')
  return claimed
}

describe('events', () => {
  it('come back in order, after a given one, as many as asked for', async () => {
    const { lease } = await running()
    await test.store.record(lease, [
      { type: 'step.started', step: 'clone', text: '', data: {} },
      output('one'),
      output('t\0wo\ud800'),
      { type: 'step.ended', step: 'clone', text: 'done', data: { durationMs: 12, note: 'a\0b' } },
    ])
    const all = await test.store.events(lease.taskId, { after: 0, limit: 100 })
    expect(all.map((event) => [event.type, event.step, event.text])).toEqual([
      ['state', null, 'queued'],
      ['state', null, 'running: attempt 1'],
      ['step.started', 'clone', ''],
      ['output', 'agent', 'one'],
      ['output', 'agent', 't\ufffdwo\ufffd'],
      ['step.ended', 'clone', 'done'],
    ])
    expect(all.at(-1)).toMatchObject({ attempt: 1, data: { durationMs: 12, note: 'a\ufffdb' } })
    const third = all[2]?.id ?? 0
    const some = await test.store.events(lease.taskId, { after: third, limit: 2 })
    expect(some.map((event) => event.text)).toEqual(['one', 't\ufffdwo\ufffd'])
    expect(await test.store.events('nobody', { after: 0, limit: 100 })).toEqual([])
  })

  it('a reader who follows the last id misses none, whoever writes at the same time', async () => {
    const claims = [await running(), await running()]
    const wanted = 30
    const write = async ({ lease }: ClaimedTask) => {
      await Promise.all(
        Array.from({ length: wanted }, (_, index) => test.store.record(lease, [output(`${index}`)])),
      )
    }
    const read = async ({ lease }: ClaimedTask) => {
      const seen: string[] = []
      for (let after = 0; seen.length < wanted;) {
        for (const event of await test.store.events(lease.taskId, { after, limit: 7 })) {
          expect(event.id).toBeGreaterThan(after)
          after = event.id
          if (event.type === 'output') seen.push(event.text)
        }
      }
      return new Set(seen).size
    }
    const [, counts] = await Promise.all([Promise.all(claims.map(write)), Promise.all(claims.map(read))])
    expect(counts).toEqual([wanted, wanted])
  })

  it('output over the limit is dropped, said once in its place, and everything else is kept', async () => {
    const { lease } = await running()
    await test.store.record(lease, [output('a'.repeat(600)), output('ä'.repeat(150))])
    await test.store.record(lease, [output('b'.repeat(90)), output('c'.repeat(20)), output('d')])
    await test.store.record(lease, [output('e'), { type: 'step.ended', step: 'agent', text: '', data: {} }])
    const kept = (await test.store.events(lease.taskId, { after: 0, limit: 100 })).filter(
      (event) => event.type !== 'state',
    )
    expect(kept.map((event) => [event.type, event.text.slice(0, 3)])).toEqual([
      ['output', 'aaa'],
      ['output', 'äää'],
      ['output', 'bbb'],
      ['output', '[th'],
      ['step.ended', ''],
    ])
    expect(kept[3]?.text).toBe('[the output is longer than 1000 bytes: the rest of it is not kept]\n')
  })
})

describe('listen', () => {
  it('tells of work, and of changes of a task, across processes', async () => {
    const other = await test.another()
    const [queue, task] = [vi.fn<() => void>(), vi.fn<(id: string) => void>()]
    const stop = await other.listen({ queue, task })
    const claimed = await running()
    await vi.waitFor(() => expect(queue).toHaveBeenCalled())
    await vi.waitFor(() => expect(task).toHaveBeenCalledWith(claimed.task.id))
    task.mockClear()
    await test.store.record(claimed.lease, [output('x')])
    await vi.waitFor(() => expect(task).toHaveBeenCalledWith(claimed.task.id))
    task.mockClear()
    await test.store.cancel(claimed.task.id, 'not wanted')
    await vi.waitFor(() => expect(task).toHaveBeenCalledWith(claimed.task.id))
    queue.mockClear()
    await test.store.settle(claimed.lease, ending('cancelled'), null)
    await vi.waitFor(() => expect(queue).toHaveBeenCalled())
    await stop()
    task.mockClear()
    const told = vi.fn<(id: string) => void>()
    await other.listen({ task: told })
    const next = await running()
    await vi.waitFor(() => expect(told).toHaveBeenCalledWith(next.task.id))
    expect(task).not.toHaveBeenCalled()
  })

  it('goes on after its connection was ended, and tells once of all that may have been missed', async () => {
    const other = await test.another()
    const [queue, task] = [vi.fn<() => void>(), vi.fn<(id: string) => void>()]
    const claimed = await running()
    await other.listen({ queue, task })
    await vi.waitFor(async () => {
      queue.mockClear()
      const ended = await test.query(
        "select pg_terminate_backend(pid) as ended from pg_stat_activity where application_name = 'nightshift listen' and datname = current_database()",
      )
      expect(ended.length).toBeGreaterThan(0)
    })
    await vi.waitFor(() => expect(queue).toHaveBeenCalled(), { timeout: 20_000 })
    await vi.waitFor(() => expect(task).toHaveBeenCalledWith(claimed.task.id), { timeout: 20_000 })
    task.mockClear()
    await test.store.record(claimed.lease, [output('after')])
    await vi.waitFor(() => expect(task).toHaveBeenCalledWith(claimed.task.id), { timeout: 20_000 })
  })

  it('a listener that throws does not keep the others from hearing', async () => {
    const other = await test.another()
    const queue = vi.fn<() => void>()
    await other.listen({
      queue: () => {
        throw new Error('a bad listener')
      },
    })
    await other.listen({ queue })
    await running()
    await vi.waitFor(() => expect(queue).toHaveBeenCalled())
  })
})
