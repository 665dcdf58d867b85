import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { EndNotice, TaskStore } from '../ports/task-store.ts'

/** Tells somebody outside of a task's end. Rejects where that was not taken. */
export type Teller = (notice: EndNotice) => Promise<void>

const everyMs = 1000
const batch = 20

/** Tells of every task that ends, again and again until it is taken, in whatever process it ended. */
export function startTelling(options: {
  readonly store: Pick<TaskStore, 'dueNotices' | 'noticeDone'>
  readonly tell: Teller
  readonly clock: Pick<Clock, 'sleep'>
  readonly log: Log
}): { stop(): Promise<void> } {
  const { store, tell, clock, log } = options
  const stopping = new AbortController()

  async function tellDue(): Promise<void> {
    try {
      const due = await store.dueNotices(batch)
      await Promise.all(due.map(tellOne))
    } catch (error) {
      log.warn('ends of tasks could not be told', { error: String(error) })
    }
  }

  async function tellOne(notice: EndNotice): Promise<void> {
    try {
      await tell(notice)
      await store.noticeDone(notice.task.id)
    } catch (error) {
      log.warn('nobody took the end of a task; it is told again', {
        taskId: notice.task.id,
        tries: notice.tries,
        error: String(error),
      })
    }
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await tellDue()
      await clock.sleep(everyMs, stopping.signal)
    }
    // What ended while it was being stopped.
    await tellDue()
  }

  const looping = loop()
  return {
    async stop() {
      stopping.abort()
      await looping
    },
  }
}
