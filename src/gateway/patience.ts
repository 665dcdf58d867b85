import type { Refusal } from './provider.ts'

/** A limit that ends within this time may be sat out by the command line itself. */
const shortMs = 60_000
/** How long refusals may go on without an answer between, once some work has been done, and before. */
const patienceMs = { working: 45_000, beginning: 12_000 }
const longestMs = 8 * 86_400_000

/** Waits that grow while an account stays closed and nobody says for how long; of one process, by account. */
export class Backoffs {
  readonly #steps = new Map<string, number>()

  /** Milliseconds: one minute, then twice as long each time, up to an hour. */
  next(account: string): number {
    const step = this.#steps.get(account) ?? 0
    this.#steps.set(account, step + 1)
    return Math.min(60_000 * 2 ** step, 3_600_000)
  }

  reset(account: string): void {
    this.#steps.delete(account)
  }
}

/** A refusal that may pass. */
type Passing = Exclude<Refusal, { kind: 'login' }>

/**
 * Decides when a row of refusals is one too many. What passes in a moment is left to the command line's own retries;
 * what does not is told at once, since its retries could take minutes and lead nowhere.
 */
export class Patience {
  readonly #nextBackoff: () => number
  #row: { readonly sinceMs: number; last: Passing } | null = null
  #worked = false

  constructor(nextBackoff: () => number) {
    this.#nextBackoff = nextBackoff
  }

  /** Something was answered. */
  answered(): void {
    this.#row = null
    this.#worked = true
  }

  /** Milliseconds for which the account has to be left alone; `null`: it may be tried again at once. */
  refused(refusal: Passing, nowMs: number): number | null {
    this.#row ??= { sinceMs: nowMs, last: refusal }
    this.#row.last = refusal
    const { delayMs } = refusal
    if (refusal.kind === 'limit' && (refusal.lasting || (delayMs ?? 0) > shortMs)) {
      // A second more: the provider's clock and ours need not agree.
      return Math.min(delayMs === null ? this.#nextBackoff() : delayMs + 1000, longestMs)
    }
    const leftMs = this.#patienceMs - (nowMs - this.#row.sinceMs)
    if ((delayMs ?? 0) < leftMs) return null
    return this.#waitAfter(refusal)
  }

  /** The last refusal of a row that has lasted too long, though nobody has asked again; `null`: there is none. */
  overdue(nowMs: number): Passing | null {
    return this.#row !== null && nowMs - this.#row.sinceMs >= this.#patienceMs ? this.#row.last : null
  }

  /** Milliseconds for which the account has to be left alone where the command line has given up; `null`: nothing was refused last. */
  givenUp(): { readonly refusal: Passing; readonly delayMs: number } | null {
    if (this.#row === null) return null
    const refusal = this.#row.last
    return { refusal, delayMs: this.#waitAfter(refusal) }
  }

  /** What was said to pass in a moment has not. */
  #waitAfter({ delayMs }: Passing): number {
    return Math.max(this.#nextBackoff(), Math.min((delayMs ?? 0) + 1000, longestMs))
  }

  get #patienceMs(): number {
    return this.#worked ? patienceMs.working : patienceMs.beginning
  }
}
