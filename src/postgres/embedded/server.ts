import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../ports/log.ts'
import { EmbeddedFailure } from './failure.ts'
import { port, type Place } from './place.ts'
import { askServer } from './server-answer.ts'
import { serverPid } from './server-process.ts'
import { serverSettings } from './server-settings.ts'
import { lockedCode, systemCommand, systemEnvironment } from './system-command.ts'

const startWaitMs = 90_000
const fastStopMs = 30_000
const stopWaitMs = 60_000
const pollMs = 50
const maxLogBytes = 1024 * 1024

/**
 * Makes sure that the server answers: joins the one that runs, whoever started it, or starts one. To be called under
 * the home's lock. Throws {@link EmbeddedFailure}.
 */
export async function ensureRunning(place: Place, log: Log): Promise<void> {
  const deadline = performance.now() + startWaitMs
  for (;;) {
    if ((await askServer(place)).kind === 'ready') return
    const ended = await start(place, deadline)
    if (ended === 'ready') {
      log.info('started the embedded database', { folder: place.folder })
      return
    }
    // Locked: it starts, stops or recovers; or it was killed and its children have not noticed yet.
    if (performance.now() > deadline) throw await stuck(place)
    await sleep(pollMs)
  }
}

/**
 * Starts PostgreSQL in a session of its own, so that neither our end nor a Ctrl-C takes it along. The lock that
 * flock(1) hands down stays with every process of it: as long as one lives, no second server opens the folder. That
 * makes it safe to remove the files with its process id, which may be anybody's by now.
 */
async function start(place: Place, deadline: number): Promise<'ready' | 'locked'> {
  await limitLog(place)
  const output = await open(place.log, 'a', 0o600)
  const before = (await output.stat()).size
  const command = 'rm -f "$1" "$2" && shift 2 && exec "$@"'
  const stale = [join(place.data, 'postmaster.pid'), join(place.socket, `.s.PGSQL.${port}.lock`)]
  const server = [join(place.binaries.folder, 'bin', 'postgres'), '-D', place.data, ...serverSettings(place)]
  const locked = ['--no-fork', '--nonblock', '--conflict-exit-code', String(lockedCode), place.lock]
  const child = spawn('flock', [...locked, 'sh', '-c', command, 'sh', ...stale, ...server], {
    cwd: '/',
    env: { ...systemEnvironment },
    stdio: ['ignore', output.fd, output.fd],
    detached: true,
    ...place.owner,
  })
  const exited = once(child, 'exit').then(
    ([code, signal]) => ({ code, signal }) as { code: number | null; signal: string | null },
    (error: unknown) => ({ code: null, signal: String(error) }),
  )
  child.unref()
  try {
    for (;;) {
      const ended = await Promise.race([exited, sleep(pollMs)])
      if (ended?.code === lockedCode) return 'locked'
      if (ended !== undefined) throw await startFailure(place, before, ended)
      if ((await askServer(place)).kind === 'ready') return 'ready'
      if (performance.now() > deadline) throw await stuck(place)
    }
  } finally {
    await output.close()
  }
}

/** Stops the server, and sees that it is gone. To be called under the home's lock. Throws {@link EmbeddedFailure}. */
export async function stop(place: Place): Promise<void> {
  const began = performance.now()
  let asked: NodeJS.Signals | null = null
  while (!(await isGone(place))) {
    const waited = performance.now() - began
    if (waited > stopWaitMs) throw await stuck(place)
    // Fast: ends all connections. Immediate: does not even write its memory down; the next start recovers from the log.
    const signal = waited < fastStopMs ? 'SIGINT' : 'SIGQUIT'
    const pid = await serverPid(place)
    if (pid !== null && asked !== signal) {
      signalServer(pid, signal)
      asked = signal
    }
    await sleep(pollMs)
  }
}

/** Whether no process of the server is left: then nobody holds its lock. */
async function isGone(place: Pick<Place, 'lock' | 'owner'>): Promise<boolean> {
  const tried = await systemCommand(['flock', '--nonblock', place.lock, 'true'], place.owner)
  return tried.exitCode === 0
}

function signalServer(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended already.
  }
}

async function limitLog(place: Place): Promise<void> {
  const found = await stat(place.log).catch(() => null)
  if (found !== null && found.size > maxLogBytes) await rename(place.log, `${place.log}.old`)
}

async function startFailure(
  place: Place,
  logStart: number,
  ended: { code: number | null; signal: string | null },
): Promise<EmbeddedFailure> {
  const text = (await readFile(place.log)).subarray(logStart).toString('utf8').trim()
  const how = ended.code === null ? `was ended by ${ended.signal}` : `ended with code ${ended.code}`
  const todo = /No space left/i.test(text)
    ? 'free some disk space'
    : /Permission denied/i.test(text)
      ? `look at the permissions of ${place.folder}`
      : /shared memory|memory segment/i.test(text)
        ? 'free some memory, or allow more shared memory (/dev/shm)'
        : 'mend what it names, or set DATABASE_URL'
  return new EmbeddedFailure(
    `the embedded database did not start: postgres ${how}. The last it said (${place.log}):\n${text.split('\n').slice(-10).join('\n')}\n`,
    todo,
  )
}

async function stuck(place: Place): Promise<EmbeddedFailure> {
  const pid = await serverPid(place)
  return new EmbeddedFailure(
    `the embedded database in ${place.folder} neither answers nor ends${pid === null ? '' : ` (process ${pid})`}`,
    `look at ${place.log} and at processes that are stopped or wait for a disk`,
  )
}
