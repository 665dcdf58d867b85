import type { TaskEvent } from '../model/event.ts'
import type { Task } from '../model/task.ts'
import type { SharedPages } from './shared-pages.ts'
import type { TaskHints } from './task-hints.ts'

export interface FollowOptions {
  readonly pages: SharedPages
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

/** Hints can get lost: then a change shows this late. */
const backstopMs = 2000

/**
 * The events of a task in order, each once, as fast as the reader takes them: nothing is read ahead. Ends after the
 * task's end, when the signal aborts, or when the task is gone.
 */
export async function* followTask(options: FollowOptions): AsyncGenerator<Followed, void> {
  const { pages, taskId, signal } = options
  const watch = options.hints.watch(taskId)
  try {
    let after = options.after
    let quietSince = performance.now()
    while (!signal.aborted) {
      const { task, events } = await pages.read(taskId, after)
      if (task === null) return
      const last = events.at(-1)
      if (last !== undefined) {
        after = last.id
        yield { kind: 'events', events }
        quietSince = performance.now()
        continue
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
