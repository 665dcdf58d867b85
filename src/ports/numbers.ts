import type { Hold } from '../model/task.ts'

/** How long something took, over the tasks that ended last. */
export interface Durations {
  readonly count: number
  readonly p50Ms: number
  readonly p95Ms: number
}

/** What agents reported. */
export interface Spent {
  readonly costUsd: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** The queue in numbers beyond its states: for operators. */
export interface NumbersNow {
  readonly heldBy: Readonly<Partial<Record<Hold, number>>>
  /** Seconds that the oldest queued task has waited; `null`: none waits. */
  readonly oldestQueuedSeconds: number | null
  /** By tasks that ended in the last 24 hours. */
  readonly spent: Spent
  /** From queued to the first step, and each step, over the last 500 tasks that ended. */
  readonly pickUp: Durations | null
  readonly steps: Readonly<Record<string, Durations>>
  readonly databaseBytes: number
}

export interface Numbers {
  now(): Promise<NumbersNow>
  spentBy(taskIds: readonly string[]): Promise<Spent>
}
