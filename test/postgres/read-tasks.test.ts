import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TaskFilter } from '../../src/ports/task-store.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { ending, newTask, submitAll, worker } from './sample.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await testDatabase()
})
afterAll(() => test.close())

async function pages(filter: Omit<TaskFilter, 'cursor'>): Promise<readonly (readonly string[])[]> {
  const found: (readonly string[])[] = []
  let cursor: string | null = null
  do {
    const page = await test.store.list({ ...filter, ...(cursor === null ? {} : { cursor }) })
    found.push(page.items.map((task) => task.id))
    cursor = page.nextCursor
  } while (cursor !== null)
  return found
}

describe('list', () => {
  const two = 'https://git.example.org/two.git'
  let ids: readonly string[] = []

  it('pages from the newest to the oldest, and new tasks do not shift it', async () => {
    ids = await submitAll(
      test.store,
      Array.from({ length: 7 }, (_, index) => newTask(index < 2 ? { repo: two } : {})),
    )
    const first = await test.store.list({ limit: 3 })
    expect(first.items.map((task) => task.id)).toEqual(ids.slice(4).toReversed())
    const [extra] = await submitAll(test.store, [newTask()])
    const second = await test.store.list({ limit: 3, cursor: first.nextCursor ?? '' })
    expect(second.items.map((task) => task.id)).toEqual(ids.slice(1, 4).toReversed())
    await test.store.cancel(extra ?? '', 'not wanted')
    expect((await pages({ limit: 4 })).map((page) => page.length)).toEqual([4, 4])
  })

  it('filters by state, outcome and repository', async () => {
    expect((await pages({ limit: 100, repo: two })).flat()).toEqual(ids.slice(0, 2).toReversed())
    expect((await pages({ limit: 2, state: 'queued' })).flat()).toEqual(ids.toReversed())
    expect((await pages({ limit: 100, outcome: 'cancelled' })).flat()).toHaveLength(1)
    expect((await pages({ limit: 100, outcome: 'cancelled', state: 'queued' })).flat()).toEqual([])
    expect((await pages({ limit: 100, runId: 'nobody' })).flat()).toEqual([])
  })

  it('takes hostile filters and cursors for what they are: texts', async () => {
    for (const text of ["'; drop table tasks; --", 'a\0b', '\ud800', '%', 'x'.repeat(10_000)]) {
      expect((await test.store.list({ limit: 1, repo: text, runId: text })).items).toEqual([])
      expect((await test.store.list({ limit: 1, cursor: text })).items.length).toBeLessThan(2)
      expect(await test.store.get(text)).toBeNull()
      expect(await test.store.find(text)).toBeNull()
      expect(await test.store.submissionOf(text)).toBeNull()
    }
  })
})

describe('find', () => {
  it('takes a whole id, or its end where only one task ends so', async () => {
    const task = newTask()
    const twin = { ...newTask(), id: `Z${task.id.slice(1)}` }
    await submitAll(test.store, [task])
    expect((await test.store.find(task.id.slice(-10)))?.id).toBe(task.id)
    expect((await test.store.find(task.id.slice(-10).toLowerCase()))?.id).toBe(task.id)
    await submitAll(test.store, [twin])
    expect(await test.store.find(task.id.slice(-10))).toBeNull()
    expect((await test.store.find(task.id))?.id).toBe(task.id)
    expect(await test.store.find('')).toBeNull()
  })
})

describe('stats', () => {
  it('count states and outcomes, and know the limits', async () => {
    const before = await test.store.stats()
    await submitAll(test.store, [newTask({ priority: 9 }), newTask()])
    const claimed = await test.store.claim(worker())
    const during = await test.store.stats()
    expect(during.states.running - before.states.running).toBe(1)
    expect(during.states.queued - before.states.queued).toBe(1)
    if (claimed !== null) await test.store.settle(claimed.lease, ending('timed_out'), null)
    await test.store.setLimits({ global: 3, perRepository: null, perAgent: 1 })
    expect(await test.store.stats()).toMatchObject({
      outcomes: { timed_out: 1 },
      limits: { global: 3, perRepository: null, perAgent: 1 },
    })
  })
})
