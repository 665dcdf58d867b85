import type { Checkouts } from '../ports/checkout.ts'
import type { CheckoutParts } from './check-checkout.ts'

/** What `check` works with: no database, no server. */
export interface HandTools {
  readonly checkouts: Checkouts
  /** Checks that run are ended when the signal aborts. */
  parts(signal: AbortSignal): Omit<CheckoutParts, 'say'>
}
