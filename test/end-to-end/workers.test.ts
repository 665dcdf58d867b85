import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, startServer, until, type CliProcess, type Place } from '../support/nightshift.ts'
import { branchSha, listBranches, makeRepository, type MadeRepository } from '../support/repositories.ts'
import { eventsOf, startWorker } from '../support/worker.ts'

const tasksInAll = 40
const globalLimit = 5
const repositoryLimit = 2

describe('four worker processes with nothing but DATABASE_URL on one queue', () => {
  let database: TestDatabase
  let place: Place
  const homes: Place[] = []
  const workers: CliProcess[] = []
  const remotes: MadeRepository[] = []
  const ids: string[] = []

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url)
    for (let number = 0; number < 4; number += 1) {
      remotes.push(await makeRepository(join(place.folder, `remote-${number}.git`)))
      const { folder, environment, remove } = await makePlace(database.url)
      const { PATH = '', HOME = '', DATABASE_URL = '' } = environment
      homes.push({ folder, environment: { PATH, HOME, DATABASE_URL }, remove })
    }
    const server = await startServer(place)
    await server.request('POST', '/api/v1/pause')
    for (let number = 0; number < tasksInAll; number += 1) {
      const task = await server.submit({
        repo: remotes[number % remotes.length]?.path,
        prompt: `Task ${number}`,
        command: `sleep 0.3; echo ${number} > n${number}.txt`,
      })
      ids.push(task.id)
    }
    await server.process.stop()
    await database.store.setLimits({ global: globalLimit, perRepository: repositoryLimit, perAgent: null })
  }, 120_000)

  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    for (const each of [...homes, place]) await each.remove()
    await database.close()
  })

  it('never exceed a limit, and end every task once', async () => {
    workers.push(...(await Promise.all(homes.map((home) => startWorker(home)))))
    await database.store.resume()
    let most = 0
    let mostOfOne = 0
    let samples = 0
    await until(
      async () => {
        const rows = await database.query(`select repo, count(*)::int as running from tasks
          where state = 'running' group by repo`)
        const counts = rows.map((row) => Number(row['running']))
        most = Math.max(
          most,
          counts.reduce((sum, count) => sum + count, 0),
        )
        mostOfOne = Math.max(mostOfOne, ...counts)
        samples += 1
        const { states } = await database.store.stats()
        return states.done === tasksInAll ? true : null
      },
      'all tasks',
      280_000,
    )
    expect(samples).toBeGreaterThan(20)
    // Reached, and so really limited.
    expect([most, mostOfOne]).toEqual([globalLimit, repositoryLimit])

    const tasks = await Promise.all(ids.map((id) => database.store.get(id)))
    const spans = tasks.map((task) => {
      expect(task).toMatchObject({ state: 'done', outcome: 'pushed', attempt: 1 })
      return { repo: task?.repo, from: task?.startedAt ?? '', to: task?.endedAt ?? '' }
    })
    expect(mostAtOnce(spans)).toBeLessThanOrEqual(globalLimit)
    for (const { path } of remotes) {
      const own = spans.filter((span) => span.repo === path)
      expect(own).toHaveLength(tasksInAll / remotes.length)
      expect(mostAtOnce(own)).toBeLessThanOrEqual(repositoryLimit)
      expect(await listBranches(path)).toHaveLength(own.length + 1)
    }
    for (const task of tasks) {
      if (task === null) throw new Error('a task is gone')
      expect(await branchSha(task.repo, task.branch)).toBe(task.evidence?.headSha)
      const states = (await eventsOf(database, task.id)).filter((event) => event.type === 'state')
      expect(states.filter((event) => event.data['state'] === 'running')).toHaveLength(1)
      expect(states.filter((event) => event.data['state'] === 'done')).toHaveLength(1)
    }
    const { workers: alive } = await database.store.stats()
    expect(alive).toHaveLength(4)
  }, 300_000)
})

/** The largest number of spans that have a moment in common; one that ends when another starts does not count. */
function mostAtOnce(spans: readonly { from: string; to: string }[]): number {
  return Math.max(
    ...spans.map(({ from }) => spans.filter((other) => other.from <= from && from < other.to).length),
  )
}
