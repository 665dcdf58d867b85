import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openEmbedded, type EmbeddedDatabase } from '../../src/postgres/embedded/open-embedded.ts'
import { serverPid } from '../../src/postgres/embedded/server-process.ts'
import { onDatabase } from '../support/database-url.ts'
import { removeHome } from '../support/embedded-home.ts'
import { makePlace, runCli, startServer, tasksOf, until, type Place } from '../support/nightshift.ts'
import { quiet } from '../support/quiet.ts'
import { branchSha, listBranches, makeRepository } from '../support/repositories.ts'

describe('a PostgreSQL that goes away under running tasks', () => {
  let home: string
  let place: Place
  let postgres: EmbeddedDatabase

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'nightshift-gone-'))
    postgres = await openEmbedded({ home, log: quiet })
    place = await makePlace(postgres.connection)
  })

  afterEach(async () => {
    await postgres.close()
    await removeHome(home)
    await place.remove()
  })

  async function stopPostgres(signal: NodeJS.Signals): Promise<void> {
    const data = join(postgres.folder, 'data')
    const pid = await serverPid({ data })
    if (pid === null) throw new Error('the database does not run')
    process.kill(pid, signal)
    await until(async () => ((await serverPid({ data })) === null ? true : null), 'the database to go')
  }

  async function startPostgres(): Promise<void> {
    const again = await openEmbedded({ home, log: quiet })
    const before = postgres
    postgres = again
    await before.close()
  }

  const query = (statement: string) => onDatabase(postgres.connection, statement)

  const outages = [
    { name: 'restarted', signal: 'SIGINT', awayMs: 2000, mostAttempts: 2 },
    { name: 'killed, and away for longer than a lease', signal: 'SIGKILL', awayMs: 12_000, mostAttempts: 3 },
  ] as const

  for (const { name, signal, awayMs, mostAttempts } of outages) {
    it(`${name}: the server answers 503 meanwhile, and every task ends well and once`, async () => {
      const remote = await makeRepository(join(place.folder, 'remote.git'))
      const server = await startServer(place, ['--slots', '6'])
      // Some are in the midst of their agent when it goes, some hand over or settle while it is away; two wait.
      const accepted = await Promise.all(
        [0.3, 0.6, 1, 2, 3, 4, 0.1, 0.1].map((seconds) =>
          server.submit({
            repo: remote.path,
            prompt: `For ${seconds}`,
            command: `echo begun; sleep ${seconds}; echo "$NIGHTSHIFT_TASK" > "$NIGHTSHIFT_TASK.txt"`,
          }),
        ),
      )
      await until(async () => {
        const rows = await query(`select distinct task_id from events where type = 'output'`)
        return rows.length >= 4 ? true : null
      }, 'agents to begin')
      await stopPostgres(signal)
      const stopped = performance.now()
      for (const [method, path, body] of [
        ['GET', '/api/v1/tasks', undefined],
        ['GET', `/api/v1/tasks/${accepted[0]?.id}`, undefined],
        ['POST', '/api/v1/tasks', { repo: remote.path, prompt: 'x', command: 'true' }],
        ['GET', '/api/v1/stats', undefined],
        ['GET', '/readyz', undefined],
      ] as const) {
        const answer = await server.request(method, path, body)
        expect([path, answer.status]).toEqual([path, 503])
      }
      expect((await server.request('GET', '/healthz')).status).toBe(200)
      await until(() => (performance.now() - stopped > awayMs ? true : null), 'the outage')
      await startPostgres()

      for (const { id } of accepted) {
        const task = await until(async () => {
          const answer = await server.request('GET', `/api/v1/tasks/${id}`)
          if (!answer.ok) return null
          const now = await server.task(id)
          return now.state === 'done' ? now : null
        }, `the end of ${id}`)
        expect(task).toMatchObject({ outcome: 'pushed', evidence: { files: [`${id}.txt`] } })
        expect(task.attempt).toBeLessThanOrEqual(mostAttempts)
        expect(await branchSha(remote.path, task.branch)).toBe(task.evidence?.headSha)
      }
      expect(await listBranches(remote.path)).toHaveLength(accepted.length + 1)
      const ends = await query(`select task_id, count(*)::int as ends from events
        where type = 'state' and data->>'state' = 'done' group by 1`)
      expect(ends.map((row) => row['ends'])).toEqual(accepted.map(() => 1))
      expect(await query('select count(*)::int as count from tasks')).toEqual([{ count: accepted.length }])
      expect(await query('select task_id from saved_work')).toEqual([])
      // It wakes up by the database again, not by its polls alone, and ends in good order.
      expect((await server.request('GET', '/readyz')).status).toBe(200)
      expect((await server.process.stop()).exitCode).toBe(0)
    }, 180_000)
  }

  it('a run goes on, too, and prints how its tasks ended', async () => {
    const remote = await makeRepository(join(place.folder, 'remote.git'))
    const command = 'echo begun; sleep 3; echo 1 > one.txt'
    const running = runCli(place, ['run', 'a', 'b', '--repo', remote.path, '--command', command, '--json'])
    await until(async () => {
      const rows = await query(`select 1 from pg_tables where schemaname = 'public' and tablename = 'events'`)
      if (rows.length === 0) return null
      return (await query(`select 1 from events where type = 'output'`)).length > 0 ? true : null
    }, 'its agents')
    await stopPostgres('SIGINT')
    await startPostgres()
    const end = await running
    expect(end.exitCode).toBe(0)
    expect(tasksOf(end).map((task) => task.outcome)).toEqual(['pushed', 'pushed'])
  }, 120_000)
})
