import type { Kysely } from 'kysely'
import { defaultKeepWorkMs } from '../model/kept-work.ts'
import type { Log } from '../ports/log.ts'
import type { Notifier } from './notifier.ts'
import type { Schema } from './schema.ts'

/** Settings of the store, each default written once, below. All durations in milliseconds. */
export interface StoreOptions {
  readonly log: Log
  /** How long a lease, and a `run`'s hold on its pool, lasts without a heartbeat. */
  readonly leaseMs: number
  /** Waits before the retries after a lease that expired; as many as there are retries. */
  readonly expiredBackoffMs: readonly number[]
  /** Waits before the retries after a failure that the worker told; as many as there are retries. */
  readonly failedBackoffMs: readonly number[]
  /** Bytes of output text kept of one task. */
  readonly maxOutputBytes: number
  /** How long the work of a task that ended badly is kept for a person. */
  readonly keepWorkMs: number
}

export const storeDefaults: Omit<StoreOptions, 'log'> = {
  leaseMs: 10_000,
  expiredBackoffMs: [0, 5000, 30_000],
  failedBackoffMs: [2000, 8000, 30_000],
  maxOutputBytes: 20_000_000,
  keepWorkMs: defaultKeepWorkMs,
}

/** What every part of the store works with. */
export interface StoreContext {
  readonly db: Kysely<Schema>
  readonly options: StoreOptions
  readonly notifier: Notifier
}
