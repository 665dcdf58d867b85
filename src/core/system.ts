import type { Settings } from '../config/settings.ts'
import type { RuntimeName } from '../model/submission.ts'
import type { Log } from '../ports/log.ts'
import type { ScheduleStore } from '../ports/schedule-store.ts'
import type { TaskStore } from '../ports/task-store.ts'
import type { Dashboard } from '../ports/dashboard.ts'
import type { EventLog } from '../ports/event-log.ts'
import type { Numbers } from '../ports/numbers.ts'
import type { SessionStore, TokenStore } from '../ports/token-store.ts'
import type { RunningScheduler } from './scheduler.ts'
import type { SubmitContext } from './submit.ts'
import type { RunContext } from './submit-run.ts'

/** One area of this machine, for `doctor` and /readyz. */
export interface DoctorEntry {
  /** `database`, `git`, `runtime local`, `agent command`, … */
  readonly area: string
  readonly ok: boolean
  readonly detail: string
  /** What a person types to mend it; `null` where there is nothing to mend. */
  readonly todo: string | null
  /** Nightshift works without it, too: an agent that nobody asks for. */
  readonly optional?: boolean
}

/** What a backup holds. */
export interface BackupSummary {
  /** ISO time: it is as the database was then. */
  readonly createdAt: string
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>
}

/** One engine of the runtime `dagger`, and what this process does there. */
export interface EngineLoad {
  readonly engine: string
  readonly slots: number
  /** Tasks of this process that have a sandbox there. */
  readonly tasks: number
  /** It answered when it was last needed. */
  readonly up: boolean
  /** `null`: not told yet. */
  readonly diskFreeBytes: number | null
}

/** An opened Nightshift: what every door works on. */
export interface System {
  readonly settings: Settings
  readonly store: TaskStore
  readonly tokens: TokenStore
  readonly sessions: SessionStore
  readonly dashboard: Dashboard
  readonly eventLog: EventLog
  readonly numbers: Numbers
  readonly submitContext: SubmitContext
  readonly runContext: RunContext
  readonly schedules: ScheduleStore
  readonly log: Log
  readonly version: string
  /** Which runtime a task gets that asks for this one, and why, as a clause. */
  explainRuntime(asked: RuntimeName | 'auto'): Promise<string>
  /** Writes the database into a file, whole or not at all, while others work on it. */
  backup(path: string): Promise<BackupSummary>
  /** What is free where this process works. */
  diskFreeBytes(): Promise<number>
  /** The engines of this process, as it knows them without asking. */
  engines(): readonly EngineLoad[]
  /** Which runtime that is now; `null`: one that is not set up here. */
  runtimeFor(asked: RuntimeName | 'auto'): Promise<RuntimeName | null>
  /**
   * What is missing on this machine, by area; only the areas that are wanted are looked at. An agent's command line counts
   * as missing where the work is to be done in this runtime, by default `local`: in containers their image brings it.
   */
  doctor(wanted?: (area: string) => boolean, runtime?: RuntimeName): Promise<readonly DoctorEntry[]>
  /** Starts taking tasks of a pool (`null`: the one that everyone shares). */
  startScheduler(options: { pool: string | null; slots: number }): RunningScheduler
  close(): Promise<void>
}
