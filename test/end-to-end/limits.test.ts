import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, startServer, until, type Place, type Server } from '../support/nightshift.ts'
import { processesWith } from '../support/processes.ts'
import { listBranches, makeRepository, type MadeRepository } from '../support/repositories.ts'
import { untilSaid } from '../support/worker.ts'

describe('an agent that takes more than it may', () => {
  let database: TestDatabase
  let place: Place
  let server: Server
  let remote: MadeRepository

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url, { NIGHTSHIFT_MEMORY_MB: '256', NIGHTSHIFT_PROCESSES: '64' })
    remote = await makeRepository(join(place.folder, 'remote.git'))
    server = await startServer(place)
  })

  afterAll(async () => {
    await server.process.stop()
    await place.remove()
    await database.close()
  })

  async function ended(body: Readonly<Record<string, unknown>>) {
    const { id } = await server.submit({ repo: remote.path, prompt: 'Work', ...body })
    const task = await server.untilDone(id)
    await until(async () => ((await processesWith(id)).length === 0 ? true : null), 'its processes to end')
    expect(await listBranches(remote.path)).toEqual(['main'])
    expect(task).toMatchObject({ state: 'done', attempt: 1 })
    return task
  }

  it('of time ends timed_out, with all that it has started', async () => {
    const task = await ended({
      command:
        'echo 1 > one.txt; setsid sleep 600 & (trap "" TERM; sleep 600) & while :; do echo .; sleep 0.2; done',
      timeout: '2s',
    })
    expect(task).toMatchObject({ outcome: 'timed_out', reason: 'The time limit of 2s ran out.' })
    const ms = Date.parse(task.endedAt ?? '') - Date.parse(task.startedAt ?? '')
    expect(ms).toBeGreaterThanOrEqual(2000)
  })

  it('of silence ends agent_failed; one that speaks now and then does not', async () => {
    const silent = await ended({ command: 'echo begins; sleep 600', silence: '1s' })
    expect(silent).toMatchObject({ outcome: 'agent_failed' })
    expect(silent.reason).toMatch(/said nothing for 1s/)
    const speaking = await ended({
      command: 'for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.5; done',
      silence: '3s',
    })
    expect(speaking).toMatchObject({ outcome: 'no_changes' })
  })

  it('of memory ends agent_failed, for a reason that names memory', async () => {
    // Its end is kept in memory until all of it was read.
    const task = await ended({ command: 'head -c 2000000000 /dev/zero | tail -c 1900000000 > /dev/null' })
    expect(task).toMatchObject({ outcome: 'agent_failed' })
    expect(task.reason).toMatch(/256 MiB of memory/)
  })

  it('of processes is bounded, and ends with its time limit; others go on meanwhile', async () => {
    // Not for ever: two hundred that wait, of which sixty-four may be.
    const bomb =
      'echo "here it is"; i=0; while [ $i -lt 200 ]; do (sleep 600 &) ; i=$((i+1)); done 2>/dev/null; sleep 600'
    const { id } = await server.submit({
      repo: remote.path,
      prompt: 'Bomb',
      command: bomb,
      timeout: '8s',
    })
    await untilSaid(database, id, 'here it is')
    const beside = await server.submit({ repo: remote.path, prompt: 'Beside', command: 'true' })
    expect(await server.untilDone(beside.id)).toMatchObject({ outcome: 'no_changes' })
    let most = 0
    const task = await until(async () => {
      most = Math.max(most, (await processesWith(`NIGHTSHIFT_TASK=${id}`)).length)
      const now = await server.task(id)
      return now.state === 'done' ? now : null
    })
    expect(['timed_out', 'agent_failed']).toContain(task.outcome)
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(70)
    await until(async () => ((await processesWith(id)).length === 0 ? true : null), 'its processes to end')
  })
})
