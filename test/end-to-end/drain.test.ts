import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, press, startServer, until, type Place, type Server } from '../support/nightshift.ts'
import { processesWith } from '../support/processes.ts'
import { branchSha, listBranches, makeRepository } from '../support/repositories.ts'
import { endsOf, startWorker, untilSaid } from '../support/worker.ts'

describe('a process that is told to stop while a task runs', () => {
  let database: TestDatabase
  let place: Place

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url)
  })

  afterAll(async () => {
    await place.remove()
    await database.close()
  })

  let number = 0
  const slow = 'echo "here it is"; if [ "$NIGHTSHIFT_ATTEMPT" = 1 ]; then sleep 600; fi; echo 1 > one.txt'

  /** Submits a task whose agent then runs. */
  async function begun(server: Server, command: string) {
    number += 1
    const remote = await makeRepository(join(place.folder, `remote-${number}.git`))
    const { id } = await server.submit({ repo: remote.path, prompt: 'Work', command })
    await untilSaid(database, id, 'here it is')
    return { id, remote: remote.path }
  }

  async function untilDone(id: string) {
    return until(async () => {
      const task = await database.store.get(id)
      return task?.state === 'done' ? task : null
    }, `the end of ${id}`)
  }

  async function crashesOf(id: string): Promise<unknown> {
    return (await database.query(`select crashes from tasks where id = '${id}'`))[0]?.['crashes']
  }

  async function nothingIsLeft(id: string): Promise<void> {
    expect(await processesWith(id)).toEqual([])
    for (const folder of ['work', 'publish']) {
      const path = join(place.environment['NIGHTSHIFT_HOME'] ?? '', folder)
      expect(await readdir(path).catch(() => [])).toEqual([])
    }
  }

  it('lets it end within the grace period, takes nothing new, and ends with 0', async () => {
    const server = await startServer(place, ['--slots', '1'])
    const { id, remote } = await begun(server, 'echo "here it is"; sleep 3; echo 1 > one.txt')
    const waiting = await server.submit({ repo: remote, prompt: 'Later', command: 'echo 2 > two.txt' })
    const end = await server.process.stop()
    expect(end).toMatchObject({ exitCode: 0 })
    const task = await database.store.get(id)
    expect(task).toMatchObject({ state: 'done', outcome: 'pushed', attempt: 1 })
    expect(await branchSha(remote, task?.branch ?? '')).toBe(task?.evidence?.headSha)
    expect(await database.store.get(waiting.id)).toMatchObject({ state: 'queued', attempt: 0 })
    await nothingIsLeft(id)
    await database.store.cancel(waiting.id, 'not needed any more')
  })

  it('hands it back when the grace period is over: another does it, and no crash is counted', async () => {
    const server = await startServer(place, ['--grace', '1s'])
    const { id, remote } = await begun(server, slow)
    expect(await server.process.stop()).toMatchObject({ exitCode: 0 })
    expect(await database.store.get(id)).toMatchObject({ state: 'queued', attempt: 1 })
    await nothingIsLeft(id)
    const worker = await startWorker(place)
    const task = await untilDone(id)
    expect(task).toMatchObject({ outcome: 'pushed', attempt: 2 })
    expect(await crashesOf(id)).toBe(0)
    expect(await listBranches(remote)).toEqual(['main', task.branch])
    expect(await worker.stop()).toMatchObject({ exitCode: 0 })
    await nothingIsLeft(id)
  })

  it('hands back at once with a grace of nothing, also what it was just taking', async () => {
    const server = await startServer(place, ['--grace', '0s', '--slots', '8'])
    const { id, remote } = await begun(server, slow)
    const others = await Promise.all(
      ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
        server.submit({ repo: remote, prompt: name, command: slow }),
      ),
    )
    expect(await server.process.stop()).toMatchObject({ exitCode: 0 })
    for (const task of [{ id }, ...others]) {
      expect(await database.store.get(task.id)).toMatchObject({ state: 'queued' })
      expect(await crashesOf(task.id)).toBe(0)
      await database.store.cancel(task.id, 'not needed any more')
    }
    await nothingIsLeft(id)
  })

  it('ends at once at a second signal; the task is recovered', async () => {
    const server = await startServer(place)
    const { id, remote } = await begun(server, slow)
    // Signals that come together count as one.
    const end = await press(server.process, 'SIGTERM')
    expect(end.exitCode).toBe(130)
    expect(await database.store.get(id)).toMatchObject({ state: 'running', attempt: 1 })
    await until(async () => ((await processesWith(id)).length === 0 ? true : null), 'its sandbox to die')
    const worker = await startWorker(place)
    const task = await untilDone(id)
    expect(task).toMatchObject({ outcome: 'pushed', attempt: 2 })
    expect(await crashesOf(id)).toBe(1)
    expect(await listBranches(remote)).toEqual(['main', task.branch])
    await worker.stop()
    await nothingIsLeft(id)
  })

  it('killed while it hands back: the task is recovered, and ends once', async () => {
    const server = await startServer(place, ['--grace', '0s'])
    const { id, remote } = await begun(server, slow)
    // A database that is slow in just this transaction.
    await database.query(`create function wait() returns trigger language plpgsql as
      'begin if new.hold = ''retry'' then perform pg_sleep(600); end if; return new; end'`)
    await database.query('create trigger slow before update on tasks for each row execute function wait()')
    server.process.child.kill('SIGTERM')
    const backend = await until(async () => {
      const [row] = await database.query(
        `select pid from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'`,
      )
      return row?.['pid'] ?? null
    }, 'the hand-back')
    expect((await server.process.stop('SIGKILL')).exitCode).toBeNull()
    await database.query(`select pg_terminate_backend(${Number(backend)})`)
    await database.query('drop function wait cascade')
    expect(await database.store.get(id)).toMatchObject({ state: 'running', attempt: 1 })
    const worker = await startWorker(place)
    const task = await untilDone(id)
    expect(task).toMatchObject({ outcome: 'pushed', attempt: 2 })
    expect(await endsOf(database, id)).toBe(1)
    expect(await listBranches(remote)).toEqual(['main', task.branch])
    await worker.stop()
    await nothingIsLeft(id)
  })
})
