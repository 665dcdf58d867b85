import type { Log } from '../ports/log.ts'
import type { TaskStore } from '../ports/task-store.ts'

/** One follower's view of a task's changes. */
export interface Watch {
  /** Resolves when the task may have changed since the last call, after `ms`, or when the signal aborts. */
  changed(ms: number, signal: AbortSignal): Promise<void>
  end(): void
}

/** No id of a task. */
const allTasks = ''

/** Wakes those who follow tasks: one listener of the store for all of them, opened when the first one comes. */
export class TaskHints {
  readonly #store: Pick<TaskStore, 'listen'>
  readonly #log: Log
  readonly #watchers = new Map<string, Set<() => void>>()
  #listening: Promise<(() => Promise<void>) | null> | null = null

  constructor(store: Pick<TaskStore, 'listen'>, log: Log) {
    this.#store = store
    this.#log = log
  }

  /** `null`: the changes of all tasks. */
  watch(task: string | null): Watch {
    const taskId = task ?? allTasks
    this.#listening ??= this.#listen()
    let stale = false
    let wake: (() => void) | null = null
    const notice = () => {
      stale = true
      wake?.()
    }
    const watchers = this.#watchers.get(taskId) ?? new Set()
    this.#watchers.set(taskId, watchers.add(notice))
    return {
      async changed(ms, signal) {
        if (!stale && !signal.aborted) {
          await new Promise<void>((resolve) => {
            const done = () => {
              clearTimeout(timer)
              signal.removeEventListener('abort', done)
              resolve()
            }
            const timer = setTimeout(done, ms)
            signal.addEventListener('abort', done)
            wake = done
          })
        }
        stale = false
      },
      end: () => {
        watchers.delete(notice)
        if (watchers.size === 0) this.#watchers.delete(taskId)
      },
    }
  }

  async close(): Promise<void> {
    const unlisten = await this.#listening
    await unlisten?.()
  }

  async #listen(): Promise<(() => Promise<void>) | null> {
    try {
      return await this.#store.listen({
        task: (taskId) => {
          for (const id of [taskId, allTasks]) this.#watchers.get(id)?.forEach((notice) => notice())
        },
      })
    } catch (error) {
      // Hints only make it faster; everyone who follows also looks by themselves.
      this.#log.warn('cannot listen for changes of tasks', { error: String(error) })
      this.#listening = null
      return null
    }
  }
}
