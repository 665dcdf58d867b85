import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Booking, Budget, Spend } from '../ports/spend.ts'

/** How long a request waits for others to give back what they have reserved. */
const waitMs = 30_000
const lookAgainMs = 250
const bookTries = 8

export type Taken =
  | { readonly kind: 'taken'; readonly usd: number }
  | { readonly kind: 'over'; readonly budget: Budget; readonly spentUsd: number }

/** The money of one session. */
export class Purse {
  readonly #spend: Spend
  readonly #budgets: readonly Budget[]
  readonly #clock: Clock
  readonly #log: Log
  readonly #booking = new Set<Promise<void>>()

  constructor(facts: { spend: Spend; budgets: readonly Budget[]; clock: Clock; log: Log }) {
    this.#spend = facts.spend
    this.#budgets = facts.budgets
    this.#clock = facts.clock
    this.#log = facts.log
  }

  get capped(): boolean {
    return this.#budgets.some(({ capUsd }) => capUsd !== null)
  }

  /** The budget that is used up already; `null`: there is something left. */
  async usedUp(): Promise<Extract<Taken, { kind: 'over' }> | null> {
    for (const budget of this.#budgets) {
      if (budget.capUsd === null) continue
      const { costUsd } = await this.#spend.of(budget.scope, budget.id)
      if (costUsd >= budget.capUsd) return { kind: 'over', budget, spentUsd: costUsd }
    }
    return null
  }

  /**
   * Reserves for a request. Where the rest of a budget is reserved by others, waits until they know what they have cost.
   * Rejects with the database's error, or where it is aborted.
   */
  async take(amount: { wantUsd: number; leastUsd: number }, signal: AbortSignal): Promise<Taken> {
    const sinceMs = this.#clock.monotonicMs()
    for (;;) {
      const answer = await this.#spend.reserve(this.#budgets, amount)
      if (answer.granted) return { kind: 'taken', usd: answer.usd }
      const { budget, spentUsd } = answer
      const late = this.#clock.monotonicMs() - sinceMs > waitMs
      if (late || spentUsd + amount.leastUsd > (budget.capUsd ?? 0)) return { kind: 'over', budget, spentUsd }
      await Promise.race([this.#clock.sleep(lookAgainMs, signal), ...this.#booking])
      signal.throwIfAborted()
    }
  }

  /** Books in the background, again and again while the database is away. */
  book(booking: Booking): void {
    const booked = this.#book(booking)
    this.#booking.add(booked)
    void booked.then(() => this.#booking.delete(booked))
  }

  /** Resolves when all that was booked is written, or given up. */
  async settled(): Promise<void> {
    await Promise.all(this.#booking)
  }

  async #book(booking: Booking): Promise<void> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.#spend.book(this.#budgets, booking)
      } catch (error) {
        if (tried === bookTries) {
          // What was reserved stays so, and counts as spent.
          this.#log.error('what a model has cost could not be written down', {
            error: String(error),
            ...booking,
          })
          return
        }
        await this.#clock.sleep(100 * 2 ** tried)
      }
    }
  }
}
