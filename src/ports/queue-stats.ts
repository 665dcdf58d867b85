import type { Outcome } from '../model/outcome.ts'
import type { State } from '../model/task.ts'

/** Upper bounds on tasks that run at the same time, over all processes. `null`: no bound. */
export interface Limits {
  readonly global: number | null
  readonly perRepository: number | null
  readonly perAgent: number | null
}

export interface QueueStats extends QueueNow {
  readonly states: Readonly<Record<State, number>>
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>
}

/** The queue without what has ended. */
export interface QueueNow {
  readonly states: Readonly<Record<Exclude<State, 'done'>, number>>
  readonly paused: boolean
  readonly limits: Limits
  /** Accounts of model providers that are closed for now. */
  readonly holds: readonly { account: string; until: string; reason: string }[]
  readonly workers: readonly {
    id: string
    host: string
    pid: number
    slots: number
    running: number
    seenAt: string
  }[]
}
