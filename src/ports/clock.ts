/** This process's time, for waiting only: leases and timestamps run on the database's clock. */
export interface Clock {
  /** Milliseconds that never jump back. */
  monotonicMs(): number
  /** Resolves after the time, or at once when the signal aborts (it does not reject). */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
