import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, startServer, until, type Place } from '../support/nightshift.ts'
import { branchSha, listBranches, makeRepository, showFile } from '../support/repositories.ts'
import { makeStoppingGit } from '../support/stopping-git.ts'
import { endsOf, eventsOf, outputOf, startWorker, untilSaid } from '../support/worker.ts'

describe('a worker that was frozen past its lease and wakes', () => {
  let database: TestDatabase
  let place: Place
  const otherPlaces: Place[] = []

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url)
  })

  afterAll(async () => {
    for (const each of otherPlaces) await each.remove()
    await place.remove()
    await database.close()
  })

  async function anotherPlace(): Promise<Place> {
    const other = await makePlace(database.url)
    otherPlaces.push(other)
    return other
  }

  async function untilDone(id: string) {
    return until(async () => {
      const task = await database.store.get(id)
      return task?.state === 'done' ? task : null
    }, `the end of ${id}`)
  }

  // The agent of each attempt makes another commit, so that it shows whose work is on the branch.
  const writes = 'echo "attempt $NIGHTSHIFT_ATTEMPT" > one.txt'

  for (const home of ['the same home', 'a home of its own'] as const) {
    it(`in the midst of its agent, the other worker having ${home}: neither settles nor pushes`, async () => {
      const own = await anotherPlace()
      const remote = await makeRepository(join(own.folder, 'remote.git'))
      const first = await startServer(own)
      const { id } = await first.submit({
        repo: remote.path,
        prompt: 'Freeze',
        command: `${writes}; if [ "$NIGHTSHIFT_ATTEMPT" = 1 ]; then echo "here it is"; sleep 600; fi`,
      })
      await untilSaid(database, id, 'here it is')
      first.process.child.kill('SIGSTOP')
      const second = await startWorker(home === 'the same home' ? own : await anotherPlace())
      const done = await untilDone(id)
      expect(done).toMatchObject({ outcome: 'pushed', attempt: 2 })
      first.process.child.kill('SIGCONT')
      // Awake and sane: it gives its sandbox up, and does another task.
      const work = join(own.environment['NIGHTSHIFT_HOME'] ?? '', 'work')
      await until(async () => ((await readdir(work)).length === 0 ? true : null), 'the first sandbox to go')
      await second.stop()
      const next = await first.submit({ repo: remote.path, prompt: 'Next', command: 'echo 2 > two.txt' })
      expect(await first.untilDone(next.id)).toMatchObject({ outcome: 'pushed', attempt: 1 })
      expect((await first.process.stop()).exitCode).toBe(0)

      expect(await database.store.get(id)).toEqual(done)
      expect(await endsOf(database, id)).toBe(1)
      expect(await listBranches(remote.path)).toEqual(['main', done.branch, next.branch].toSorted())
      expect(await branchSha(remote.path, done.branch)).toBe(done.evidence?.headSha)
      expect(await showFile(remote.path, done.branch, 'one.txt')).toBe('attempt 2\n')
      const events = await eventsOf(database, id)
      const taken = events.findIndex((event) => event.attempt === 2)
      expect(events.slice(taken).filter((event) => event.attempt === 1)).toEqual([])
    }, 120_000)
  }

  it('between its intention to push and the push, its git going on late: the branch is the second worker’s', async () => {
    const own = await anotherPlace()
    const stopping = await makeStoppingGit(own)
    const remote = await makeRepository(join(own.folder, 'remote.git'))
    const first = await startServer(stopping.place)
    const { id, branch } = await first.submit({
      repo: remote.path,
      prompt: 'Freeze',
      command: `${writes}; echo "the agent runs"`,
    })
    await stopping.stopAt({
      name: 'push',
      words: ['push', '--force-with-lease', branch],
      call: 1,
      when: 'before',
    })
    await until(async () => ((await stopping.reached('push')) ? true : null), 'the push')
    first.process.child.kill('SIGSTOP')
    const second = await startWorker(own)
    const done = await untilDone(id)
    expect(done).toMatchObject({ outcome: 'pushed', attempt: 2, branch })
    await stopping.release('push')
    first.process.child.kill('SIGCONT')
    const next = await first.submit({ repo: remote.path, prompt: 'Next', command: 'echo 2 > two.txt' })
    expect(await first.untilDone(next.id)).toMatchObject({ outcome: 'pushed' })
    // It leaves only after the late push has ended.
    expect((await first.process.stop()).exitCode).toBe(0)
    await second.stop()

    expect(await database.store.get(id)).toEqual(done)
    expect(await endsOf(database, id)).toBe(1)
    expect(await listBranches(remote.path)).toEqual(['main', branch, next.branch].toSorted())
    expect(await branchSha(remote.path, branch)).toBe(done.evidence?.headSha)
    // The work was handed over before: the agent was not paid twice.
    expect((await outputOf(database, id)).split('the agent runs')).toHaveLength(2)
  }, 120_000)

  it('alone on the queue, it takes its own task again, keeps that lease, and ends it once', async () => {
    const own = await anotherPlace()
    const remote = await makeRepository(join(own.folder, 'remote.git'))
    const server = await startServer(own)
    // Longer than a lease: a second attempt that nobody keeps alive would be lost, too.
    const { id } = await server.submit({
      repo: remote.path,
      prompt: 'Freeze',
      command: `${writes}; echo "here it is"; if [ "$NIGHTSHIFT_ATTEMPT" = 1 ]; then sleep 600; fi; sleep 13`,
    })
    await untilSaid(database, id, 'here it is')
    server.process.child.kill('SIGSTOP')
    await until(async () => {
      const [row] = await database.query(
        `select lease_until < clock_timestamp() as over from tasks where id = '${id}'`,
      )
      return row?.['over'] === true ? true : null
    }, 'the lease to run out')
    server.process.child.kill('SIGCONT')
    const done = await server.untilDone(id)
    expect(done).toMatchObject({ outcome: 'pushed', attempt: 2 })
    expect(await endsOf(database, id)).toBe(1)
    expect(await branchSha(remote.path, done.branch)).toBe(done.evidence?.headSha)
    expect(await showFile(remote.path, done.branch, 'one.txt')).toBe('attempt 2\n')
    expect((await server.process.stop()).exitCode).toBe(0)
  }, 120_000)
})
