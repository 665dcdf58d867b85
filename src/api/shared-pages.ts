import type { TaskEvent } from '../model/event.ts'
import type { Task } from '../model/task.ts'
import type { TaskStore } from '../ports/task-store.ts'

/** Events of a task after an id, and the task as it was before they were read; `null`: it is gone. */
export interface EventPage {
  readonly task: Task | null
  readonly events: readonly TaskEvent[]
}

/** An event holds up to 64 KiB, and every reader may hold one page. */
const pageSize = 50
/** Pages that readers who are a little behind find again. */
const maxKept = 64
const maxKeptBytes = 16 * 1024 * 1024

interface Kept {
  readonly page: EventPage
  readonly bytes: number
}

/**
 * Reads pages of events for all who follow tasks in this process. Those who ask for the same at the same time share one
 * answer, so that 200 readers of one task cost the database as much as one. Nobody gets an empty answer that was asked
 * for before they came: they might sleep through what it missed.
 */
export class SharedPages {
  readonly #store: Pick<TaskStore, 'get' | 'events'>
  readonly #running = new Map<string, Promise<EventPage>>()
  readonly #next = new Map<string, Promise<EventPage>>()
  readonly #kept = new Map<string, Kept>()
  #keptBytes = 0

  constructor(store: Pick<TaskStore, 'get' | 'events'>) {
    this.#store = store
  }

  read(taskId: string, after: number): Promise<EventPage> {
    const key = `${taskId} ${after}`
    const kept = this.#kept.get(key)
    if (kept !== undefined) return Promise.resolve(kept.page)
    const waiting = this.#next.get(key)
    if (waiting !== undefined) return waiting
    const begin = async (): Promise<EventPage> => {
      this.#next.delete(key)
      const found = this.#kept.get(key)
      if (found !== undefined) return found.page
      const running = this.#ask(taskId, after)
      this.#running.set(key, running)
      try {
        const page = await running
        if (page.events.length > 0) this.#keep(key, page)
        return page
      } finally {
        if (this.#running.get(key) === running) this.#running.delete(key)
      }
    }
    // Those who are woken by one hint all ask before the next turn of the event loop.
    const before: Promise<unknown> = this.#running.get(key) ?? new Promise((resolve) => setImmediate(resolve))
    const next = before.then(begin, begin)
    this.#next.set(key, next)
    return next
  }

  async #ask(taskId: string, after: number): Promise<EventPage> {
    // Asked before the events: a task that is done here has all its events there.
    const task = await this.#store.get(taskId)
    const events = task === null ? [] : await this.#store.events(taskId, { after, limit: pageSize })
    return { task, events }
  }

  #keep(key: string, page: EventPage): void {
    const bytes = page.events.reduce((sum, event) => sum + event.text.length + 200, 0)
    this.#kept.set(key, { page, bytes })
    this.#keptBytes += bytes
    for (const [oldest, old] of this.#kept) {
      if (this.#kept.size <= maxKept && this.#keptBytes <= maxKeptBytes) break
      this.#kept.delete(oldest)
      this.#keptBytes -= old.bytes
    }
  }
}
