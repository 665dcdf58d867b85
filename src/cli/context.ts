import type { Client } from '../client/client.ts'
import type { Settings } from '../config/settings.ts'
import type { HandTools } from '../core/hand-tools.ts'
import type { BackupSummary, System } from '../core/system.ts'
import { UsageError } from './command-failure.ts'
import type { Terminal } from './terminal.ts'

/** What every command works with. */
export interface CliContext {
  readonly terminal: Terminal
  readonly stdin: NodeJS.ReadableStream
  readonly version: string
  /** Read from the environment when first asked for; throws ConfigurationError. */
  settings(): Settings
  /** Opens database and adapters; whoever calls it closes what it answers. */
  open(settings: Settings): Promise<System>
  /** Makes the database of an empty home from a backup. */
  restore(settings: Settings, path: string): Promise<BackupSummary>
  /** What looks at a checkout in hand. */
  handTools(settings: Settings): Promise<HandTools>
  /** The server that NIGHTSHIFT_URL names. */
  client(): Client
  /** Aborts at the first SIGINT or SIGTERM; at the second, the process ends without asking. */
  readonly interrupted: AbortSignal
}

/** Every command takes `--json`. */
export interface CommonFlags {
  json?: boolean
}

/** A whole number of the command line; throws {@link UsageError} naming the flag. */
export function wholeNumber(flag: string, text: string, min: number, max: number): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new UsageError(`${flag}: must be a whole number from ${min} to ${max}`)
}
