import type { TaskEvent } from '../model/event.ts'
import type { Task } from '../model/task.ts'
import type { TaskStore } from '../ports/task-store.ts'
import type { TaskHints } from './task-hints.ts'

export interface FollowOptions {
  readonly store: Pick<TaskStore, 'get' | 'events'>
  readonly hints: TaskHints
  readonly taskId: string
  /** The last event that the reader has. */
  readonly after: number
  /** Whether to wait for the task's end; otherwise what there is now. */
  readonly wait: boolean
  readonly signal: AbortSignal
  /** Milliseconds of silence after which a `quiet` is told. */
  readonly quietMs: number
}

export type Followed =
  | { kind: 'events'; events: readonly TaskEvent[] }
  | { kind: 'quiet' }
  /** The task is done and all its events were told. */
  | { kind: 'end'; task: Task }

/** An event holds up to 64 KiB, and every reader may hold one page. */
const pageSize = 50
/** Hints can get lost: then a change shows this late. */
const backstopMs = 2000

/**
 * The events of a task in order, each once, as fast as the reader takes them: nothing is read ahead. Ends after the
 * task's end, when the signal aborts, or when the task is gone.
 */
export async function* followTask(options: FollowOptions): AsyncGenerator<Followed, void> {
  const { store, taskId, signal } = options
  const watch = options.hints.watch(taskId)
  try {
    let after = options.after
    let quietSince = performance.now()
    while (!signal.aborted) {
      // Asked before the events: a task that is done here has all its events there.
      const task = await store.get(taskId)
      if (task === null) return
      for (;;) {
        const events = await store.events(taskId, { after, limit: pageSize })
        const last = events.at(-1)
        if (last === undefined) break
        after = last.id
        yield { kind: 'events', events }
        if (signal.aborted) return
        quietSince = performance.now()
        if (events.length < pageSize) break
      }
      if (task.state === 'done' || !options.wait) {
        yield { kind: 'end', task }
        return
      }
      await watch.changed(backstopMs, signal)
      if (performance.now() - quietSince < options.quietMs) continue
      quietSince = performance.now()
      yield { kind: 'quiet' }
    }
  } finally {
    watch.end()
  }
}
