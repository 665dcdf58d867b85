import { once } from 'node:events'
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { RuntimeFailure, type Command, type ExecEnd, type OutputLine } from '../ports/runtime.ts'
import { identify } from '../process/identity.ts'
import type { ResourceGroup } from './cgroup.ts'
import type { Jail, JailReport } from './jail.ts'
import { endIfOrphan } from './left-processes.ts'
import { OutputLines } from './output-lines.ts'
import type { PipeShelf } from './output-pipes.ts'
import { Tail } from './tail.ts'
import { Supervision, type Reason } from './supervision.ts'
import type { WatchedLimits } from './tree-watch.ts'

/** Where commands of one sandbox run. */
export interface CommandPlace {
  readonly jail: Jail
  readonly pipes: PipeShelf
  /** User of the machine as whom commands run, where it is another than ours. */
  readonly owner: number | null
  /** What stands before every command inside, such as the relay; it has to pass its exit code on. */
  readonly prefix: readonly string[]
  /** See `JailCommand.runFile`. */
  readonly runFile: string
  /** `null`: control groups cannot be written here, and the limits are watched instead. */
  readonly group: ResourceGroup | null
  readonly limits: WatchedLimits
  /** Asked after each piece of output: whether the command has to wait before it may print more. */
  readonly pace?: () => Promise<void> | null
}

const tailBytes = 64 * 1024
/** How long the kernel may take to end what was killed, before that counts as a failure of the machine. */
const endingMs = 30_000
/** What should end by itself is helped to after this long. */
const orphanMs = 20

/**
 * Runs a command in a jail and resolves when nothing of it is left. Rejects with {@link RuntimeFailure}, or with what
 * a listener threw.
 */
export async function runCommand(
  place: CommandPlace,
  command: Command,
  env: Readonly<Record<string, string>>,
): Promise<ExecEnd> {
  const since = performance.now()
  if (command.signal.aborted) return ended('aborted', null, since, '', '')
  const killsBefore = countKills(place.group)
  const pipes = await place.pipes.take(place.owner)
  const started = await start(place, {
    argv: [...place.prefix, ...command.argv],
    env,
    stdin: command.stdin ?? null,
    pipes,
  })
  const stdout = new Tail(tailBytes)
  const stderr = new Tail(tailBytes)
  const supervision = new Supervision(started, command, place.limits, place.group === null)
  const streams = Promise.all([
    drain(started.stdout, stdout, lines(command, 'stdout'), supervision, place.pace),
    drain(started.stderr, stderr, lines(command, 'stderr'), supervision, place.pace),
  ])
  // Awaited below; until then a failure here must not count as unhandled.
  streams.catch(() => {})
  try {
    await supervision.exited
    const report = started.report()
    await gone(report)
    await within(endingMs, streams)
    if (supervision.fault !== null) throw supervision.fault.error
    const killed = countKills(place.group) > killsBefore
    const end = judge(supervision.reason, report, killed, since, stdout.text(), stderr.text())
    // Last: what fails above discards them, and they must not be both closed and on the shelf.
    place.pipes.giveBack(pipes)
    return end
  } catch (error) {
    place.pipes.discard(pipes)
    started.stdout.destroy()
    started.stderr.destroy()
    throw supervision.fault === null ? failure(error) : error
  } finally {
    supervision.stop()
    started.release()
  }
}

function countKills(group: ResourceGroup | null): number {
  try {
    return group?.outOfMemoryKills() ?? 0
  } catch (error) {
    throw new RuntimeFailure('the control group of a sandbox is gone', { cause: error })
  }
}

async function start(
  place: CommandPlace,
  command: Omit<Parameters<Jail['start']>[0], 'runFile' | 'cgroupProcs'>,
) {
  try {
    return await place.jail.start({
      ...command,
      runFile: place.runFile,
      cgroupProcs: place.group?.procsFiles ?? [],
    })
  } catch (error) {
    place.pipes.discard(command.pipes)
    throw failure(error)
  }
}

function lines(command: Command, stream: OutputLine['stream']): OutputLines | null {
  const onLine = command.onLine
  return onLine === undefined ? null : new OutputLines((text) => onLine({ stream, text }), command.manyLines)
}

async function drain(
  from: Socket,
  tail: Tail,
  lineCutter: OutputLines | null,
  supervision: Supervision,
  pace: CommandPlace['pace'],
): Promise<void> {
  // A listener that throws must not take the whole process down.
  const guarded = (tell: () => void) => {
    try {
      if (supervision.fault === null) tell()
    } catch (error) {
      supervision.fail(error)
    }
  }
  from.on('data', (chunk: Buffer) => {
    supervision.heard()
    tail.write(chunk)
    guarded(() => lineCutter?.write(chunk))
    const wait = pace?.() ?? null
    if (wait === null) return
    from.pause()
    void wait.then(() => from.resume())
  })
  await once(from, 'close')
  guarded(() => lineCutter?.end())
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const waiting = new AbortController()
  const late = delay(ms, 'late', { signal: waiting.signal }).catch(() => 'stopped')
  try {
    if ((await Promise.race([work, late])) !== 'late') return
    throw new RuntimeFailure('the output of a sandbox that has ended is still held open')
  } finally {
    waiting.abort()
  }
}

/** Waits until the jail's own first process is gone: the kernel lets it go only after all others inside. */
async function gone(report: JailReport): Promise<void> {
  if (report.initPid === null) return
  const first = await identify(report.initPid)
  const since = performance.now()
  for (let now = first; now !== null && now.startTicks === first?.startTicks; now = await identify(now.pid)) {
    const waitedMs = performance.now() - since
    if (waitedMs > orphanMs) endIfOrphan(now.pid)
    if (waitedMs > endingMs) {
      throw new RuntimeFailure(
        `process ${now.pid} of a sandbox was killed and does not end; is a disk hanging?`,
      )
    }
    await delay(1)
  }
}

function judge(
  reason: Reason | null,
  report: JailReport,
  killedForMemory: boolean,
  since: number,
  stdout: string,
  stderr: string,
): ExecEnd {
  if (reason === 'too_many_processes') {
    const note = 'nightshift: ended, since it had more processes than it may have'
    return ended('exited', 137, since, stdout, stderr === '' ? note : `${stderr}\n${note}`)
  }
  if (reason !== null) return ended(reason, null, since, stdout, stderr)
  // A command that coped with the loss of a child has done its work all the same.
  if (killedForMemory && report.exitCode !== 0) return ended('out_of_memory', null, since, stdout, stderr)
  if (report.exitCode !== null) return ended('exited', report.exitCode, since, stdout, stderr)
  const refused = report.made ? /^bwrap: execvp .*: (.+)$/m.exec(stderr)?.[1] : undefined
  if (refused !== undefined) {
    return ended('exited', refused === 'No such file or directory' ? 127 : 126, since, stdout, stderr)
  }
  throw new RuntimeFailure(
    stderr.trim() === ''
      ? 'a sandbox was ended from outside'
      : `a sandbox could not be made: ${stderr.trim().slice(-2000)}`,
  )
}

function ended(
  kind: ExecEnd['kind'],
  exitCode: number | null,
  since: number,
  stdoutTail: string,
  stderrTail: string,
): ExecEnd {
  return { kind, exitCode, durationMs: performance.now() - since, stdoutTail, stderrTail }
}

function failure(error: unknown): RuntimeFailure {
  if (error instanceof RuntimeFailure) return error
  const message = error instanceof Error ? error.message : String(error)
  return new RuntimeFailure(`a sandbox could not be started: ${message}`, { cause: error })
}
