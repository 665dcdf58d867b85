import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface ShellLineOptions {
  readonly cwd: string
  /** The whole environment. */
  readonly env: NodeJS.ProcessEnv
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly onLine: (text: string) => void
}

export interface ShellLineEnd {
  /** `null`: it did not end by itself. 128 + signal where a signal ended it. */
  readonly exitCode: number | null
  readonly durationMs: number
  /** The last 64 KiB of each stream. */
  readonly stdoutTail: string
  readonly stderrTail: string
}

const maxTailLength = 64 * 1024
const signalExit = 128 + 9

/** Runs one line of shell as this user, and ends all that it started when it is over. Rejects where there is no shell. */
export async function runShellLine(line: string, options: ShellLineOptions): Promise<ShellLineEnd> {
  const startedMs = performance.now()
  const child = spawn('/bin/sh', ['-c', line], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const tails = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    createInterface({ input: child[stream] }).on('line', (text) => {
      tails[stream] = `${tails[stream]}${text}\n`.slice(-maxTailLength)
      options.onLine(text)
    })
  }
  let stopped = false
  const stop = () => {
    stopped = true
    endGroup(child.pid)
  }
  const timer = setTimeout(stop, options.timeoutMs)
  options.signal.addEventListener('abort', stop, { once: true })
  if (options.signal.aborted) stop()
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      // Whatever it left behind holds the pipes open.
      child.once('exit', () => endGroup(child.pid))
      child.once('close', (exitCode) => resolve(exitCode ?? signalExit))
    })
    options.signal.throwIfAborted()
    const durationMs = performance.now() - startedMs
    return { exitCode: stopped ? null : code, durationMs, stdoutTail: tails.stdout, stderrTail: tails.stderr }
  } finally {
    clearTimeout(timer)
    options.signal.removeEventListener('abort', stop)
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // All of it has ended already.
  }
}
