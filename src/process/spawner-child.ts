import { run } from './run.ts'
import type { SpawnerAnswer, SpawnerRequest } from './spawner.ts'
import { startProgram } from './start.ts'

// The small process that starts programs for the large one. It ends with its parent, and everything that it runs with it.

const running = new Map<number, AbortController>()
/** Leaders of the groups that were started and have not ended. */
const started = new Set<number>()
const parent = process.ppid

function answer(message: SpawnerAnswer): void {
  // Nobody is left to be told when the parent is gone.
  if (process.connected) process.send?.(message)
}

function fail(id: number, error: unknown): void {
  const { message, code } = error as NodeJS.ErrnoException
  answer({ kind: 'failed', id, message, code: code ?? null })
}

async function runToEnd({ id, argv, options }: Extract<SpawnerRequest, { kind: 'run' }>): Promise<void> {
  const controller = new AbortController()
  running.set(id, controller)
  try {
    answer({ kind: 'result', id, result: await run(argv, { ...options, signal: controller.signal }) })
  } catch (error) {
    fail(id, error)
  } finally {
    running.delete(id)
  }
}

function start({ id, program }: Extract<SpawnerRequest, { kind: 'start' }>): void {
  try {
    const child = startProgram(program, parent)
    const { pid } = child
    child.once('error', (error) => fail(id, error))
    if (pid === undefined) return
    started.add(pid)
    child.once('exit', () => {
      started.delete(pid)
      answer({ kind: 'ended', id })
    })
    answer({ kind: 'started', id, pid })
  } catch (error) {
    fail(id, error)
  }
}

function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

process.on('message', (request: SpawnerRequest) => {
  switch (request.kind) {
    case 'run':
      void runToEnd(request)
      return
    case 'abort':
      running.get(request.id)?.abort()
      return
    case 'start':
      start(request)
      return
    default:
      request satisfies never
  }
})
process.on('disconnect', () => {
  for (const controller of running.values()) controller.abort()
  for (const leader of started) endGroup(leader)
  process.exit(0)
})
// What the terminal sends to the whole group is for the parent to judge.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
