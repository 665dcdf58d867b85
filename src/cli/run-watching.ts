import type { Task } from '../model/task.ts'
import type { Log } from '../ports/log.ts'
import type { TaskStore } from '../ports/task-store.ts'
import type { Progress } from './progress.ts'

export interface RunWatchOptions {
  readonly store: TaskStore
  readonly log: Log
  readonly tasks: readonly Task[]
  readonly progress: Progress
  /** Asks all tasks to end; they are still waited for. */
  readonly interrupted: AbortSignal
}

/** Hints may be lost: this often, and so many at a time, tasks are looked at without one. */
const pollMs = 500
const pollSize = 25
/** A database that stays away longer ends the run: its tasks are taken up, or ended, by whoever comes next. */
const patienceMs = 60_000
const pageSize = 100

/**
 * Waits until all tasks are done, telling `progress` what happens; answers them in their order. Rejects with what the
 * store threw, once it has done so for a minute.
 */
export async function watchRun(options: RunWatchOptions): Promise<Task[]> {
  const { store, log } = options
  const latest = new Map(options.tasks.map((task) => [task.id, task]))
  /** In the order in which they were last looked at. */
  const open = new Set(latest.keys())
  const hinted = new Set(open)
  const seen = new Map<string, number>()
  const bell = createBell()
  const hear = (id: string) => {
    if (!open.has(id)) return
    hinted.add(id)
    bell.ring()
  }
  const unlisten = await store.listen({ task: hear }).catch((error: unknown) => {
    log.warn('no hints from the database: it is polled', { error: String(error) })
    return () => Promise.resolve()
  })
  options.interrupted.addEventListener('abort', bell.ring)
  let cancelled = false
  let failingSince: number | null = null
  let polledAtMs = performance.now()
  try {
    for (;;) {
      const rung = bell.next()
      try {
        if (options.interrupted.aborted && !cancelled) {
          for (const id of latest.keys()) await store.cancel(id, 'interrupted by the person who ran it')
          cancelled = true
        }
        // As they are now: hints that come without end must not keep an interruption from being seen.
        const due = [...hinted]
        for (const id of due) {
          // Before the look: a hint that comes meanwhile tells of what it may not have seen.
          hinted.delete(id)
          const task = await look(options, id, seen)
          latest.set(id, task)
          open.delete(id)
          if (task.state !== 'done') open.add(id)
        }
        failingSince = null
      } catch (error) {
        failingSince ??= performance.now()
        if (performance.now() - failingSince > patienceMs) throw error
      }
      if (open.size === 0) break
      await rungWithin(rung, pollMs)
      if (performance.now() - polledAtMs < pollMs) continue
      polledAtMs = performance.now()
      for (const id of [...open].slice(0, pollSize)) hinted.add(id)
    }
  } finally {
    options.interrupted.removeEventListener('abort', bell.ring)
    await unlisten()
  }
  return options.tasks.map((task) => latest.get(task.id) ?? task)
}

/** Reads the task, then its new events: what is done has no more of them. */
async function look(options: RunWatchOptions, id: string, seen: Map<string, number>): Promise<Task> {
  const { store, progress } = options
  const task = await store.get(id)
  if (task === null) throw new Error(`task ${id} has vanished from the database`)
  for (;;) {
    const events = await store.events(id, { after: seen.get(id) ?? 0, limit: pageSize })
    for (const event of events) {
      seen.set(id, event.id)
      progress.happened(task, event)
    }
    if (events.length < pageSize) break
  }
  progress.changed(task)
  return task
}

async function rungWithin(rung: Promise<void>, ms: number): Promise<void> {
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, ms)
  await Promise.race([rung, over.promise])
  clearTimeout(timer)
}

/** Does not forget a ring that came while nobody waited. */
function createBell() {
  let { promise, resolve } = Promise.withResolvers<void>()
  return {
    /** Resolves at the next ring. */
    next: () => promise,
    ring() {
      resolve()
      ;({ promise, resolve } = Promise.withResolvers<void>())
    },
  }
}
