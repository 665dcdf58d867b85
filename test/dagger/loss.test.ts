import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { ImageUnusable, RuntimeAway, RuntimeFailure } from '../../src/ports/runtime.ts'
import { sh } from '../runtime-contract/place.ts'
import { until } from '../support/nightshift.ts'
import { removeFolder } from '../support/repositories.ts'
import { breakable, openBreakable, type BreakableEngine } from './breakable.ts'
import { absentImage, makePlace, noEngine, type DaggerPlace } from './engine.ts'

/** How long the sleepers of these tests sleep, by which they are told from those of any other process. */
const mark = String(300_000_000 + process.pid)
const skipped = noEngine ?? (breakable ? null : 'the engine has no address that a test can stand before')
const title = (text: string) => (skipped === null ? text : `${text} (skipped: ${skipped})`)

const places: DaggerPlace[] = []
const engines: BreakableEngine[] = []

afterEach(async () => {
  for (const place of places.splice(0)) await place.close()
  for (const opened of engines.splice(0)) await opened.close()
})

async function placeOn(...on: readonly BreakableEngine[]): Promise<DaggerPlace> {
  const place = await makePlace({ engines: on.map(({ address }) => address) })
  places.push(place)
  return place
}

async function engine(slots?: number): Promise<BreakableEngine> {
  const opened = await openBreakable(slots)
  engines.push(opened)
  return opened
}

describe.skipIf(skipped !== null)(title('an engine'), { timeout: 300_000 }, () => {
  it('that is not there is told soon, and is no reason to hang', async () => {
    const absent = await engine()
    await absent.kill()
    const place = await placeOn(absent)
    const [problem] = await place.runtime.problems()
    expect(problem?.what).toContain('cannot be reached')
    expect(problem?.todo).toContain('NIGHTSHIFT_ENGINES')
    await expect(place.open()).rejects.toThrow(RuntimeFailure)
  })

  it('that is frozen before anything starts is told, too', async () => {
    const frozen = await engine()
    frozen.freeze()
    const place = await placeOn(frozen)
    expect((await place.runtime.problems())[0]?.what).toMatch(/does not answer within/)
  })

  it('that is lost in the middle of a command fails it as the machine’s fault, and is used again when it is back', async () => {
    const broken = await engine()
    const place = await placeOn(broken)
    const sandbox = await place.open()
    let started = false
    const running = sh(sandbox, `echo started; sleep ${mark}`, { onLine: () => (started = true) })
    const failed = running.catch((error: unknown) => error)
    await until(() => started || null, 'the command to start')
    await broken.kill()
    expect(await failed).toBeInstanceOf(RuntimeFailure)
    await sandbox.close().catch(() => {})
    await until(() => (sleepers().length === 0 ? true : null), 'the container to end')
    await expect(place.open()).rejects.toThrow(RuntimeFailure)

    await broken.revive()
    const next = await until(() => place.open().catch(() => null), 'the engine to be used again')
    expect((await sh(next, 'echo again')).stdoutTail).toBe('again\n')
    await next.close()
  })

  it('that freezes in the middle of a command fails it, though nothing ever answers', async () => {
    const broken = await engine()
    const place = await placeOn(broken)
    const sandbox = await place.open()
    let started = false
    const running = sh(sandbox, `echo started; sleep ${mark}`, { onLine: () => (started = true) })
    const failed = running.catch((error: unknown) => error)
    await until(() => started || null, 'the command to start')
    broken.freeze()
    expect(await failed).toBeInstanceOf(RuntimeFailure)
    await broken.kill()
    await sandbox.close().catch(() => {})
  })

  it('of two that is lost leaves the work to the other, until it is back', async () => {
    const [first, second] = [await engine(2), await engine(2)]
    const place = await placeOn(first, second)
    const pair = await Promise.all([place.open(), place.open()])
    const load = async () => (await place.runtime.lookAtEngines()).map(({ tasks }) => tasks)
    expect(await load()).toEqual([1, 1])
    await first.kill()
    const others = await Promise.all(
      pair.map((each) =>
        sh(each, 'sleep 5; echo fine').then(
          ({ stdoutTail }) => stdoutTail,
          (error: unknown) => error,
        ),
      ),
    )
    expect(others.filter((other) => other === 'fine\n')).toHaveLength(1)
    expect(others.filter((other) => other instanceof RuntimeFailure)).toHaveLength(1)
    await Promise.all(pair.map((each) => each.close().catch(() => {})))
    const next = await place.open()
    expect((await sh(next, 'echo elsewhere')).stdoutTail).toBe('elsewhere\n')
    await next.close()
  })

  it('with all slots taken lets a task wait until one is free, and one that is cancelled goes', async () => {
    const small = await engine(1)
    const place = await placeOn(small)
    const first = await place.open({ taskId: 'FIRST' })
    // Another sandbox of the same task has its slot already.
    const checks = await place.open({ taskId: 'FIRST', purpose: 'checks' })
    await checks.close()
    const cancelled = place.open({ taskId: 'SECOND', signal: AbortSignal.timeout(300) })
    await expect(cancelled).rejects.toThrow(/timeout/i)
    let opened = false
    const waiting = place.open({ taskId: 'THIRD' }).then((sandbox) => {
      opened = true
      return sandbox
    })
    await delay(500)
    expect(opened).toBe(false)
    await first.close()
    await (await waiting).close()
  })

  it('whose disk is nearly full gets no task once it has told so', async () => {
    const place = await makePlace({ minFreeBytes: Number.MAX_SAFE_INTEGER })
    places.push(place)
    expect(place.runtime.loads()).toMatchObject([{ diskFreeBytes: null }])
    await (await place.open()).close()
    expect(place.runtime.loads()).toMatchObject([{ diskFreeBytes: expect.any(Number) }])
    const refused = await place.open().catch((error: unknown) => error)
    // So that its task waits, and says which disk it waits for.
    expect(refused).toBeInstanceOf(RuntimeAway)
    expect(String(refused)).toMatch(/no engine can be used: .*: only \d+ MiB are free on its disk/)
    const [problem] = await place.runtime.problems()
    expect(problem?.what).toContain('are free on its disk')
    expect(problem?.todo).toContain('make room')
  })

  it('ends one command that is cancelled, and lets the others go on', async () => {
    const place = await placeOn(await engine())
    const pair = await Promise.all([place.open(), place.open()])
    const controller = new AbortController()
    let started = false
    const cancelled = sh(pair[0], `sleep ${mark} & echo started; sleep ${mark}`, {
      signal: controller.signal,
      onLine: () => (started = true),
    })
    const other = sh(pair[1], 'sleep 3; echo fine')
    await until(() => started || null, 'the command to start')
    expect(sleepers().length).toBeGreaterThan(0)
    controller.abort()
    expect((await cancelled).kind).toBe('aborted')
    expect(sleepers()).toEqual([])
    expect((await other).stdoutTail).toBe('fine\n')
    await Promise.all(pair.map((each) => each.close()))
  })
})

describe.skipIf(skipped !== null)(title('the cache of an engine'), { timeout: 300_000 }, () => {
  it('cannot stand for a second attempt that looks the same: nobody has called, so nothing was done', async () => {
    const life = `same-${process.pid}-${Date.now()}`
    const place = await makePlace({ newLife: () => life, spares: 0 })
    places.push(place)
    const first = await place.open({ taskId: 'SAME' })
    await first.close()
    await expect(place.open({ taskId: 'SAME' })).rejects.toThrow(/from its cache/)
  })

  it('does not keep an image that is not there from being told as what it is', async () => {
    const place = await makePlace({ image: absentImage })
    places.push(place)
    await expect(place.open()).rejects.toThrow(ImageUnusable)
  })
})

describe.skipIf(skipped !== null)(title('what a scheduler leaves on an engine'), { timeout: 300_000 }, () => {
  const child = fileURLToPath(new URL('owner-child.ts', import.meta.url))
  const owners: ChildProcess[] = []
  const folders: string[] = []

  afterAll(async () => {
    for (const owner of owners) owner.kill('SIGKILL')
    for (const folder of folders) await removeFolder(folder)
  })

  async function startOwner(taskId: string): Promise<ChildProcess> {
    const owner = spawn(process.execPath, [child, taskId, mark], { stdio: ['ignore', 'pipe', 'inherit'] })
    owners.push(owner)
    const [said] = (await once(owner.stdout, 'data')) as [Buffer]
    const [word, folder = ''] = said.toString().trim().split(' ')
    expect(word).toBe('started')
    folders.push(folder)
    await until(() => (sleepers().length > 0 ? true : null), 'the command inside')
    return owner
  }

  it('ends with it when it is killed', async () => {
    const owner = await startOwner(`KILLED${process.pid}`)
    owner.kill('SIGKILL')
    await until(() => (sleepers().length === 0 ? true : null), 'everything inside to end')
  })

  it('is ended by who takes its task over when it is frozen, and by nobody else', async () => {
    const taskId = `FROZEN${process.pid}`
    const owner = await startOwner(taskId)
    owner.kill('SIGSTOP')
    const place = await makePlace({})
    places.push(place)
    await place.runtime.reclaim(`OTHER${process.pid}`)
    expect(sleepers().length).toBeGreaterThan(0)
    await place.runtime.reclaim(taskId)
    expect(sleepers()).toEqual([])
    owner.kill('SIGKILL')
    await once(owner, 'exit')
  })
})

/** Processes of the tests' own that sleep, wherever on this machine, the engine's containers included. */
function sleepers(): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.filter((pid) => commandLine(pid) === `sleep\0${mark}\0`)
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
