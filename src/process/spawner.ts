import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { run, type RunOptions, type RunResult } from './run.ts'

/** Runs a program to its end; see {@link run}. */
export type Run = typeof run

export type SpawnerRequest =
  | { kind: 'run'; id: number; argv: readonly string[]; options: Omit<RunOptions, 'signal'> }
  | { kind: 'abort'; id: number }

export type SpawnerAnswer =
  | { id: number; ok: true; result: RunResult }
  | { id: number; ok: false; message: string; code: string | null }

export interface Spawner {
  readonly run: Run
  /** Ends it, and what it still runs. */
  close(): Promise<void>
}

/** The process that starts programs was lost; what it ran has ended. */
export class SpawnerLost extends Error {
  override readonly name = 'SpawnerLost'
}

interface Waiting {
  readonly resolve: (result: RunResult) => void
  readonly reject: (error: Error) => void
}

const childFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './spawner-child.ts' : './spawner-child.js', import.meta.url),
)

/**
 * Starts programs from a small process of its own: to start one from a process of 100 MB holds that up for 5 ms or more
 * each time, since its page tables are copied, and a task needs a dozen; from a small one it takes 1 ms, elsewhere.
 */
export function createSpawner(): Spawner {
  const waiting = new Map<number, Waiting>()
  let child: ChildProcess | null = null
  let lastId = 0
  let closed = false

  function living(): ChildProcess {
    if (child !== null) return child
    const started = fork(childFile, [], {
      env: {},
      execArgv: ['--max-semi-space-size=4'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    started.on('message', (answer: SpawnerAnswer) => {
      const asked = waiting.get(answer.id)
      waiting.delete(answer.id)
      if (answer.ok) asked?.resolve({ ...answer.result, stdout: Buffer.from(answer.result.stdout) })
      else asked?.reject(Object.assign(new Error(answer.message), { code: answer.code }))
    })
    const lose = () => {
      if (child === started) child = null
      for (const { reject } of waiting.values())
        reject(new SpawnerLost('the process that starts programs has ended'))
      waiting.clear()
    }
    started.on('error', lose)
    started.on('exit', lose)
    child = started
    return started
  }

  return {
    run(argv, { signal, ...options }) {
      if (closed) return run(argv, { ...options, ...(signal === undefined ? {} : { signal }) })
      const process = living()
      const id = (lastId += 1)
      const abort = () => void process.send({ kind: 'abort', id } satisfies SpawnerRequest)
      return new Promise<RunResult>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        process.send({ kind: 'run', id, argv, options } satisfies SpawnerRequest, (error) => {
          if (error !== null) reject(error)
        })
        if (signal?.aborted === true) abort()
        else signal?.addEventListener('abort', abort, { once: true })
      }).finally(() => signal?.removeEventListener('abort', abort))
    },
    async close() {
      closed = true
      const last = child
      if (last === null) return
      const ended = new Promise((resolve) => last.once('exit', resolve))
      last.disconnect()
      await ended
    },
  }
}
