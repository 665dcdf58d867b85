import { spawn } from 'node:child_process'

export interface RunOptions {
  readonly cwd?: string
  /** The whole environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  readonly stdin?: Buffer | string
  /** Milliseconds until the process and all its children in its group are killed. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** Bytes kept of stdout; more end the process. Default 64 MiB. */
  readonly maxStdoutBytes?: number
  readonly uid?: number
  readonly gid?: number
}

export interface RunResult {
  /** `null` unless it exited by itself. */
  readonly exitCode: number | null
  readonly stdout: Buffer
  /** The last 64 KiB. */
  readonly stderr: string
  readonly ended: 'exited' | 'killed' | 'timed_out' | 'aborted' | 'too_much_output'
}

const defaultMaxStdoutBytes = 64 * 1024 * 1024
const maxStderrBytes = 64 * 1024

/**
 * Runs a program to its end, in a process group of its own. Every way it can end is a value; rejects only where it
 * could not be started, with the error of the operating system (`ENOENT`, `E2BIG`, …).
 */
export function run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const [program, ...args] = argv
  if (program === undefined) return Promise.reject(new TypeError('no program to run'))
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      resolve({ exitCode: null, stdout: Buffer.alloc(0), stderr: '', ended: 'aborted' })
      return
    }
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...options.env },
      stdio: [options.stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    })
    let ended: RunResult['ended'] = 'exited'
    const kill = (why: RunResult['ended']) => {
      if (ended === 'exited') ended = why
      killGroup(child.pid)
    }
    const timer = setTimeout(() => kill('timed_out'), options.timeoutMs)
    const onAbort = () => kill('aborted')
    options.signal?.addEventListener('abort', onAbort, { once: true })
    const release = () => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', onAbort)
    }

    const stdout: Buffer[] = []
    let stdoutBytes = 0
    child.stdout?.on('data', (chunk: Buffer) => {
      stdoutBytes += chunk.length
      if (stdoutBytes > (options.maxStdoutBytes ?? defaultMaxStdoutBytes)) kill('too_much_output')
      else stdout.push(chunk)
    })
    let stderr = Buffer.alloc(0)
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr = Buffer.concat([stderr, chunk]).subarray(-maxStderrBytes)
    })
    // A program that does not read its input is no error of ours.
    child.stdin?.on('error', () => {})
    child.stdin?.end(options.stdin)

    child.once('error', (error) => {
      release()
      reject(error)
    })
    child.once('close', (code, signal) => {
      release()
      if (signal !== null && ended === 'exited') ended = 'killed'
      const exitCode = ended === 'exited' ? code : null
      resolve({ exitCode, stdout: Buffer.concat(stdout), stderr: stderr.toString('utf8'), ended })
    })
  })
}

/** Ends a process that leads its own group, and every process of that group. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}
