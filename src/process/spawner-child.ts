import { run } from './run.ts'
import type { SpawnerAnswer, SpawnerRequest } from './spawner.ts'

// The small process that starts programs for the large one. It ends with its parent, and everything that it runs with it.

const running = new Map<number, AbortController>()

function answer(message: SpawnerAnswer): void {
  // Nobody is left to be told when the parent is gone.
  if (process.connected) process.send?.(message)
}

async function start({ id, argv, options }: Extract<SpawnerRequest, { kind: 'run' }>): Promise<void> {
  const controller = new AbortController()
  running.set(id, controller)
  try {
    answer({ id, ok: true, result: await run(argv, { ...options, signal: controller.signal }) })
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    answer({ id, ok: false, message, code: code ?? null })
  } finally {
    running.delete(id)
  }
}

process.on('message', (request: SpawnerRequest) => {
  if (request.kind === 'run') void start(request)
  else running.get(request.id)?.abort()
})
process.on('disconnect', () => {
  for (const controller of running.values()) controller.abort()
  process.exit(0)
})
// What the terminal sends to the whole group is for the parent to judge.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
