import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import { openEmbedded } from '../../src/postgres/embedded/open-embedded.ts'
import { serverPid } from '../../src/postgres/embedded/server-process.ts'
import { onDatabase } from '../support/database-url.ts'
import { removeHome } from '../support/embedded-home.ts'
import {
  makePlace,
  press,
  runCli,
  startCli,
  startServer,
  tasksOf,
  until,
  type CliProcess,
  type Place,
} from '../support/nightshift.ts'
import { processesWith } from '../support/processes.ts'
import { quiet } from '../support/quiet.ts'
import { listBranches, makeRepository } from '../support/repositories.ts'

describe('nightshift run on the database of its own home', () => {
  let place: Place
  let home: string
  let repo: string

  beforeEach(async () => {
    place = await makePlace('')
    home = place.environment['NIGHTSHIFT_HOME'] ?? ''
    repo = (await makeRepository(join(place.folder, 'remote.git'))).path
  })

  afterEach(async () => {
    await removeHome(home)
    await place.remove()
  })

  const flags = (command: string) => ['--repo', repo, '--command', command]
  const slow = 'echo "here it is"; sleep 600 & sleep 600'

  /** Reads the home's database while another process keeps it, or after all have gone. */
  async function query(statement: string) {
    const server = await openEmbedded({ home, log: quiet })
    try {
      return await onDatabase(server.connection, statement)
    } finally {
      await server.close()
    }
  }

  async function untilAgents(number: number, started: CliProcess): Promise<readonly string[]> {
    await until(
      () => (started.stderr().split('] agent\n').length > number ? true : null),
      'the steps to reach the agents',
    )
    return until(async () => {
      const rows = await query(`select distinct task_id from events where type = 'output'`)
      return rows.length >= number ? rows.map((row) => String(row['task_id'])) : null
    }, `${number} agents`)
  }

  /** No process of this home lives: neither a sandbox, nor the database, nor a helper. */
  async function untilNothingLives(): Promise<void> {
    const { id } = JSON.parse(await readFile(join(home, 'home.json'), 'utf8')) as { id: string }
    let left: string[] = []
    await until(async () => {
      left = [...(await processesWith(place.folder)), ...(await processesWith(id))]
      return left.length === 0 ? true : null
    }, 'all processes to end').catch((error: unknown) => {
      throw new Error(`still there:\n${left.join('\n')}`, { cause: error })
    })
  }

  it('Ctrl-C ends its tasks cancelled and leaves no process, no folder and no database running', async () => {
    const started = startCli(place, ['run', 'a', 'b', 'c', ...flags(slow), '--parallel', '2', '--json'])
    await untilAgents(2, started)
    const end = await started.stop('SIGINT')
    expect(end.exitCode).toBe(130)
    expect(tasksOf(end).map((task) => [task.state, task.outcome])).toEqual([
      ['done', 'cancelled'],
      ['done', 'cancelled'],
      ['done', 'cancelled'],
    ])
    await untilNothingLives()
    expect(await readdir(join(home, 'work'))).toEqual([])
    expect(await readdir(join(home, 'publish')).catch(() => [])).toEqual([])
    expect(await query('select state, outcome from tasks')).toEqual(
      Array.from({ length: 3 }, () => ({ state: 'done', outcome: 'cancelled' })),
    )
    expect(await listBranches(repo)).toEqual(['main'])
  }, 120_000)

  it('a second Ctrl-C ends it at once; what is left is ended by the next process of the home', async () => {
    const started = startCli(place, ['run', 'a', ...flags(slow), '--json'])
    const [id = ''] = await untilAgents(1, started)
    // The database hangs: the first signal alone would have to wait for it.
    const server = await openEmbedded({ home, log: quiet })
    const held = await heldTasks(server.connection)
    // Signals that come together count as one.
    const end = await press(started, 'SIGINT')
    expect(end.exitCode).toBe(130)
    await until(async () => ((await processesWith(id)).length === 0 ? true : null), 'its sandbox to die')
    await held()
    await server.close()
    await nextEndsThem([id])
  }, 120_000)

  it('killed with -9, the next process of the home adopts its database and ends its tasks cancelled', async () => {
    const started = startCli(place, ['run', 'a', 'b', 'c', ...flags(slow), '--parallel', '2'])
    const ids = await untilAgents(2, started)
    await started.stop('SIGKILL')
    await until(async () => {
      const left = await Promise.all(ids.map((id) => processesWith(id)))
      return left.flat().length === 0 ? true : null
    }, 'the sandboxes to die with it')
    await nextEndsThem(ids)
  }, 120_000)

  it('a database that is killed while a server uses it is started again, and tasks go on', async () => {
    const server = await startServer(place)
    const { id } = await server.submit({
      repo,
      prompt: 'p',
      command: 'echo begun; sleep 2; echo 1 > one.txt',
    })
    await until(async () => ((await server.task(id)).state === 'running' ? true : null), 'it to run')
    const own = await openEmbedded({ home, log: quiet })
    const pid = await serverPid({ data: join(own.folder, 'data') })
    process.kill(Number(pid), 'SIGKILL')
    await until(async () => ((await server.request('GET', '/readyz')).ok ? null : true), 'the database to go')
    await until(async () => ((await server.request('GET', '/readyz')).ok ? true : null), 'it to come back')
    expect(await server.untilDone(id)).toMatchObject({ outcome: 'pushed' })
    await own.close()
    expect((await server.process.stop()).exitCode).toBe(0)
    await untilNothingLives()
  }, 120_000)

  async function nextEndsThem(ids: readonly string[]): Promise<void> {
    const server = await startServer(place)
    for (const id of ids) expect(await server.untilDone(id)).toMatchObject({ outcome: 'cancelled' })
    const { items } = (await (await server.request('GET', '/api/v1/tasks?limit=50')).json()) as {
      items: Task[]
    }
    const all = await Promise.all(items.map((task) => server.untilDone(task.id)))
    for (const task of all) {
      expect(task.outcome).toBe('cancelled')
      expect(task.reason).toMatch(/run it belonged to is gone|interrupted by the person/)
    }
    expect((await server.process.stop()).exitCode).toBe(0)
    expect(await readdir(join(home, 'work'))).toEqual([])
    expect(await listBranches(repo)).toEqual(['main'])
    await untilNothingLives()
  }

  it('beside a server of the same home neither takes the other’s tasks, and the last one out stops the database', async () => {
    const server = await startServer(place, ['--slots', '1'])
    const submitted = await server.submit({
      repo,
      prompt: 'of the server',
      command: 'sleep 1; echo 1 > server.txt',
    })
    const waiting = await server.submit({ repo, prompt: 'waits', command: 'echo 2 > waits.txt' })
    const end = await runCli(place, [
      'run',
      'of the run',
      'another',
      ...flags('echo "$NIGHTSHIFT_PROMPT" > run.txt'),
      '--json',
    ])
    expect(end.exitCode).toBe(0)
    const own = tasksOf(end)
    expect(own.map((task) => task.outcome)).toEqual(['pushed', 'pushed'])
    for (const { id } of [submitted, waiting]) {
      expect(await server.untilDone(id)).toMatchObject({ outcome: 'pushed', attempt: 1 })
    }
    // The server still has its database when the run has left.
    expect((await server.request('GET', '/readyz')).status).toBe(200)
    const claimed = await query(
      `select pool = '' as shared, count(*)::int as count from tasks group by 1 order by 1`,
    )
    expect(claimed).toEqual([
      { shared: false, count: 2 },
      { shared: true, count: 2 },
    ])
    expect((await server.process.stop()).exitCode).toBe(0)
    await untilNothingLives()
  }, 120_000)
})

/** Locks the tasks table against every write; answers what lets go of it. */
async function heldTasks(connection: string): Promise<() => Promise<void>> {
  const { Client } = await import('pg')
  const client = new Client({ connectionString: connection })
  await client.connect()
  await client.query('begin')
  await client.query('lock table tasks in share row exclusive mode')
  return async () => {
    await client.query('rollback')
    await client.end()
  }
}
