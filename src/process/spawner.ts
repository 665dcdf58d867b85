import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { run, type RunOptions, type RunResult } from './run.ts'
import type { ProgramStart, Starter } from './start.ts'
import { strayDescriptors } from './stray-descriptors.ts'

/** Runs a program to its end; see {@link run}. */
export type Run = typeof run

export type SpawnerRequest =
  | { kind: 'run'; id: number; argv: readonly string[]; options: Omit<RunOptions, 'signal'> }
  | { kind: 'abort'; id: number }
  | { kind: 'start'; id: number; program: ProgramStart }

export type SpawnerAnswer =
  | { kind: 'result'; id: number; result: RunResult }
  | { kind: 'started'; id: number; pid: number }
  /** A program that was started has ended. */
  | { kind: 'ended'; id: number }
  | { kind: 'failed'; id: number; message: string; code: string | null }

export interface Spawner extends Starter {
  readonly run: Run
  /** Ends it, and what it still runs. */
  close(): Promise<void>
}

/** The process that starts programs was lost; what it ran has ended. */
export class SpawnerLost extends Error {
  override readonly name = 'SpawnerLost'
}

interface Waiting {
  readonly onAnswer: (answer: Exclude<SpawnerAnswer, { kind: 'failed' }>) => void
  readonly reject: (error: Error) => void
}

const childFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './spawner-child.ts' : './spawner-child.js', import.meta.url),
)

/**
 * Starts programs from a small process of its own: to start one from a process of 100 MB holds that up for 5 ms or more
 * each time, since its page tables are copied, and a task needs a dozen; from a small one it takes 1 ms, elsewhere. When
 * this process dies, however, that one ends all that it has started.
 */
export function createSpawner(): Spawner {
  const waiting = new Map<number, Waiting>()
  let child: ChildProcess | null = null
  let lastId = 0
  let closed = false

  function living(): ChildProcess {
    if (child !== null) return child
    const started = launch()
    started.on('message', (answer: SpawnerAnswer) => {
      const asked = waiting.get(answer.id)
      // Of a program that was started, one more answer is to come.
      if (answer.kind !== 'started') waiting.delete(answer.id)
      if (answer.kind === 'failed')
        asked?.reject(Object.assign(new Error(answer.message), { code: answer.code }))
      else asked?.onAnswer(answer)
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

  function ask(request: SpawnerRequest, asked: Waiting): void {
    waiting.set(request.id, asked)
    living().send(request, (error) => {
      if (error !== null) asked.reject(error)
    })
  }

  return {
    run(argv, { signal, ...options }) {
      if (closed) return run(argv, { ...options, ...(signal === undefined ? {} : { signal }) })
      const id = (lastId += 1)
      const abort = () => void living().send({ kind: 'abort', id } satisfies SpawnerRequest)
      return new Promise<RunResult>((resolve, reject) => {
        const onAnswer: Waiting['onAnswer'] = (answer) => {
          if (answer.kind === 'result')
            resolve({ ...answer.result, stdout: Buffer.from(answer.result.stdout) })
        }
        ask({ kind: 'run', id, argv, options }, { onAnswer, reject })
        if (signal?.aborted === true) abort()
        else signal?.addEventListener('abort', abort, { once: true })
      }).finally(() => signal?.removeEventListener('abort', abort))
    },
    start(program) {
      if (closed) return Promise.reject(new SpawnerLost('the process that starts programs was closed'))
      const id = (lastId += 1)
      const exited = Promise.withResolvers<void>()
      // Whoever waits for the start hears of its failure there.
      exited.promise.catch(() => {})
      return new Promise((resolve, reject) => {
        const onAnswer: Waiting['onAnswer'] = (answer) => {
          if (answer.kind === 'started') resolve({ pid: answer.pid, exited: exited.promise })
          else exited.resolve()
        }
        const fail = (error: Error) => {
          exited.reject(error)
          reject(error)
        }
        ask({ kind: 'start', id, program }, { onAnswer, reject: fail })
      })
    },
    // They were closed when it was launched.
    strays: () => [],
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

const bash = '/bin/bash'

/** What this process inherited by mistake must reach neither that process nor what it starts. */
function launch(): ChildProcess {
  const node = [process.execPath, '--max-semi-space-size=4', childFile]
  const strays = strayDescriptors()
  // Only bash can close a descriptor whose number has two digits.
  const closing = strays.length > 0 && existsSync(bash)
  const script = [...strays.map((fd) => `exec ${fd}>&-`), 'exec "$@"'].join('\n')
  const [program = '', ...args] = closing ? [bash, '-c', script, 'bash', ...node] : node
  return spawn(program, args, {
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
}
