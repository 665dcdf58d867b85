import type { TaskEvent } from '../model/event.ts'

/** Which events of many tasks are asked for. */
export interface EventRange {
  /** Only greater ids. */
  readonly after: number
  /** Only ids up to this one: what {@link EventLog.settled} answered, or less. */
  readonly upTo: number
  /** `null`: of all tasks. */
  readonly runId: string | null
  /** `null`: all. */
  readonly types: readonly TaskEvent['type'][] | null
  readonly limit: number
}

/**
 * The events of all tasks in the order of their ids. Within one task they become visible in that order; between tasks
 * they need not, since transactions overlap: only below a settled id nothing comes any more.
 */
export interface EventLog {
  /** The greatest id for which this holds now. Waits for transactions that are under way; rejects when aborted. */
  settled(signal: AbortSignal): Promise<number>
  range(range: EventRange): Promise<readonly TaskEvent[]>
}
