export const budgetScopes = ['task', 'run', 'night'] as const
export type BudgetScope = (typeof budgetScopes)[number]

/** What money is counted for, and how much of it there is. */
export interface Budget {
  readonly scope: BudgetScope
  /** The task's id, or the run's; for a night, whatever names one. */
  readonly id: string
  /** US dollars in all; `null`: counted only. */
  readonly capUsd: number | null
}

/** What has been spent for one budget, over all attempts, rounds and machines. */
export interface Spent {
  readonly requests: number
  /** All tokens of input, those of the caches included. */
  readonly inputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  readonly outputTokens: number
  readonly costUsd: number
  /** Requests to models without a known price, which `costUsd` lacks. */
  readonly unpricedRequests: number
  /** US dollars that requests under way may still cost; of those whose process died, for ever. */
  readonly reservedUsd: number
}

/** What one request has used, told when it has ended. */
export interface Booking extends Omit<Spent, 'reservedUsd' | 'unpricedRequests' | 'costUsd'> {
  /** `null`: the model has no known price. */
  readonly costUsd: number | null
  /** What was reserved for it, given back now. */
  readonly reservedUsd: number
}

export type Reservation =
  | { readonly granted: true; readonly usd: number }
  /** The budget that has too little left, as it stands. */
  | {
      readonly granted: false
      readonly budget: Budget
      readonly spentUsd: number
      readonly reservedUsd: number
    }

/** Keeps the spending of tasks, runs and nights where no crash and no other machine forgets it. */
export interface Spend {
  of(scope: BudgetScope, id: string): Promise<Spent>
  /**
   * Reserves up to `wantUsd` on all budgets, as much as the tightest has left, all or none; refuses where that is less
   * than `leastUsd`. What is not booked, since the process died, stays reserved: it may have been spent.
   */
  reserve(
    budgets: readonly Budget[],
    amount: { readonly wantUsd: number; readonly leastUsd: number },
  ): Promise<Reservation>
  /** Counts what a request has used, and gives back what was reserved for it. */
  book(budgets: readonly Budget[], booking: Booking): Promise<void>
}
