import { afterAll, beforeAll, expect, test } from 'vitest'
import { watchRun } from '../../src/cli/run-watching.ts'
import type { TaskStore } from '../../src/ports/task-store.ts'
import { newTask, shared } from '../postgres/sample.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { quiet } from '../support/quiet.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.close())

const progress = { happened: () => {}, changed: () => {}, close: () => {} }
const never = new AbortController().signal

async function submitted(count: number) {
  const tasks = Array.from({ length: count }, () => newTask())
  const answer = await database.store.submit(tasks, shared)
  if (!answer.accepted) throw new Error('refused')
  return answer.tasks
}

test('of many tasks those are read that something happened to, and not all of them each time', async () => {
  const tasks = await submitted(300)
  const another = await database.another()
  let reads = 0
  const store: TaskStore = { ...database.store, get: (id) => ((reads += 1), database.store.get(id)) }
  const watching = watchRun({ store, log: quiet, tasks, progress, interrupted: never })
  for (const { id } of tasks) await another.cancel(id, 'by a test')
  expect((await watching).map(({ outcome }) => outcome)).toEqual(tasks.map(() => 'cancelled'))
  expect(reads).toBeLessThan(1400)
})

test('a task of which no hint ever came is found all the same', async () => {
  const tasks = await submitted(30)
  const store: TaskStore = { ...database.store, listen: async () => async () => {} }
  const watching = watchRun({ store, log: quiet, tasks, progress, interrupted: never })
  for (const { id } of tasks) await database.store.cancel(id, 'by a test')
  expect((await watching).every(({ state }) => state === 'done')).toBe(true)
})
