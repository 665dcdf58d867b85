import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import { testDatabase } from '../support/database.ts'
import {
  makePlace,
  runCli,
  startServer,
  tasksOf,
  until,
  type Place,
  type Server,
} from '../support/nightshift.ts'
import { branchSha, listBranches, makeRepository, showFile } from '../support/repositories.ts'
import { breakable, openBreakable, type BreakableEngine } from './breakable.ts'
import { absentImage, cliEnvironment, daggerCli, engineHost, image, noEngine } from './engine.ts'

const skipped = noEngine ?? (breakable ? null : 'the engine has no address that a test can stand before')
const title = (text: string) => (skipped === null ? text : `${text} (skipped: ${skipped})`)
const secret = 'not-to-be-seen-0123456789'

/** How long the sleepers of these tests sleep, by which they are told from those of any other process. */
const mark = String(400_000_000 + process.pid)

describe.skipIf(skipped !== null)(title('a task in containers'), { timeout: 300_000 }, () => {
  let place: Place
  let server: Server
  let engine: BreakableEngine
  const closers: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    const database = await testDatabase()
    closers.push(() => database.close())
    engine = await openBreakable()
    closers.push(() => engine.close())
    place = await makePlace(database.url, {
      ...cliEnvironment,
      NIGHTSHIFT_ENGINES: `${engine.address.address}=8`,
      _EXPERIMENTAL_DAGGER_CLI_BIN: daggerCli,
      NIGHTSHIFT_IMAGE: image,
      GITHUB_TOKEN: secret,
    })
    closers.push(() => place.remove())
    server = await startServer(place)
    closers.push(() => server.process.stop())
  }, 120_000)

  afterAll(async () => {
    for (const close of closers.toReversed()) await close()
  })

  async function submit(command: string, rules: string | null = null, more: object = {}): Promise<Task> {
    const name = `repo-${Math.random().toString(36).slice(2)}.git`
    const files = { 'README.md': '# A\n', ...(rules === null ? {} : { '.nightshift.yaml': rules }) }
    const remote = await makeRepository(join(place.folder, name), { files })
    return server.submit({ repo: remote.path, prompt: 'Work', command, runtime: 'dagger', ...more })
  }

  it('is pushed with its checks run in another container, and sees no secret', async () => {
    const rules =
      'setup: echo set-up > ~/set-up\nchecks:\n  - name: fine\n    run: test -f one && test -f ~/set-up\n'
    const { id, repo } = await submit('cat ~/set-up; env; echo 1 > one', rules)
    const task = await server.untilDone(id, 240_000)
    expect(task, task.reason ?? '').toMatchObject({
      outcome: 'pushed',
      runtime: 'dagger',
      attempt: 1,
      evidence: { files: ['one'], checks: [{ name: 'fine', exitCode: 0 }] },
    })
    expect(await branchSha(repo, task.branch)).toBe(task.evidence?.headSha)
    const log = await (await server.request('GET', `/api/v1/tasks/${id}/log`)).text()
    expect(log).toContain('set-up')
    expect(log).not.toContain(secret)
  })

  it('with nothing to change makes no branch; one whose image is not there is for a person to mend', async () => {
    const idle = await submit('true')
    const wrong = await submit('true', `image: ${absentImage}\n`)
    expect(await server.untilDone(idle.id)).toMatchObject({ outcome: 'no_changes' })
    expect(await listBranches(idle.repo)).toEqual(['main'])
    const invalid = await server.untilDone(wrong.id)
    expect(invalid.outcome).toBe('invalid')
    expect(invalid.reason).toContain(absentImage)
  })

  it('that is cancelled ends, with its processes gone, while another goes on', async () => {
    const long = await submit(`sleep ${mark} & sleep ${mark}`)
    const other = await submit('sleep 8; echo 1 > one')
    await until(() => (sleepers() > 0 ? true : null), 'the command inside')
    await server.request('POST', `/api/v1/tasks/${long.id}/cancel`)
    expect(await server.untilDone(long.id)).toMatchObject({ outcome: 'cancelled' })
    expect(sleepers()).toBe(0)
    expect(await server.untilDone(other.id)).toMatchObject({ outcome: 'pushed' })
  })

  it('whose engine is lost in the middle is tried again when there is one, and is done once', async () => {
    const { id, repo } = await submit(
      `if [ "$NIGHTSHIFT_ATTEMPT" = 1 ]; then sleep ${mark}; fi; echo 1 > one`,
    )
    await until(() => (sleepers() > 0 ? true : null), 'the command inside')
    await engine.kill()
    await until(async () => {
      const { state, attempt } = await server.task(id)
      return state === 'held' || attempt > 1 ? true : null
    }, 'the loss to be noticed')
    await engine.revive()
    const task = await server.untilDone(id, 240_000)
    expect(task, task.reason ?? '').toMatchObject({ outcome: 'pushed' })
    expect(task.attempt).toBeGreaterThan(1)
    expect(sleepers()).toBe(0)
    expect(await listBranches(repo)).toEqual(['main', task.branch].toSorted())
    expect(await showFile(repo, task.branch, 'one')).toBe('1\n')
  })

  it('is what `run` does by itself where an engine answers, and it says so first', async () => {
    const remote = await makeRepository(join(place.folder, 'auto.git'))
    const args = ['run', 'Work', '--repo', remote.path, '--command', 'echo 1 > one', '--json']
    const end = await runCli(place, args)
    expect(end.stderr.split('\n')[0]).toBe('runtime: dagger, since an engine answers')
    expect(tasksOf(end)).toMatchObject([{ outcome: 'pushed', runtime: 'dagger' }])
    const away = { ...place.environment, NIGHTSHIFT_ENGINES: 'tcp://127.0.0.1:9' }
    const without = await runCli({ ...place, environment: away }, args)
    expect(without.stderr.split('\n')[0]).toMatch(/^runtime: local, since dagger does not work: tcp:\/\/127/)
    expect(tasksOf(without)).toMatchObject([{ outcome: 'pushed', runtime: 'local' }])
  })

  it('has its agent’s command line in its image, or over it: this machine needs none', async () => {
    const remote = await makeRepository(join(place.folder, 'agent.git'))
    const refusing = createServer((_request, response) => response.writeHead(401).end('{}')).listen(
      0,
      '127.0.0.1',
    )
    await once(refusing, 'listening')
    const { port } = refusing.address() as AddressInfo
    const nobody = { OPENAI_API_KEY: 'none-of-anybody', OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` }
    const environment = { ...place.environment, ...nobody }
    const args = ['run', 'Work', '--repo', remote.path, '--agent', 'codex', '--json', '--runtime']
    const inContainer = await runCli({ ...place, environment }, [...args, 'dagger'])
    refusing.close()
    expect(tasksOf(inContainer)).toMatchObject([{ runtime: 'dagger', outcome: 'invalid', attempt: 1 }])
    const here = await runCli({ ...place, environment }, [...args, 'local'])
    expect([here.exitCode, here.stdout]).toEqual([2, expect.stringContaining('codex is not installed')])
  })

  it('finds each engine in what `doctor` says', async () => {
    const absent = 'tcp://127.0.0.1:9'
    const engines = `${engine.address.address}=8,${absent}=2`
    const environment = { ...place.environment, NIGHTSHIFT_ENGINES: engines }
    const end = await runCli({ ...place, environment }, ['doctor', '--json'])
    const { areas } = JSON.parse(end.stdout) as { areas: { area: string; ok: boolean; detail: string }[] }
    const found = (area: string) => areas.find((entry) => entry.area === area)
    expect(found('runtime dagger')).toMatchObject({ ok: true })
    // What the health check of docker-compose.yml looks for.
    expect(end.stdout).toContain('"area":"runtime dagger","ok":true')
    expect(found(`engine ${engine.address.address}`)).toMatchObject({ ok: true })
    expect(found(`engine ${engine.address.address}`)?.detail).toContain('8 slots')
    expect(found(`engine ${absent}`)).toMatchObject({ ok: false })
    expect(engineHost).not.toBeNull()
  })
})

/** How many of the tests' own sleeping processes are left on this machine, the engine's containers included. */
function sleepers(): number {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8') === `sleep\0${mark}\0`
    } catch {
      return false
    }
  }).length
}
