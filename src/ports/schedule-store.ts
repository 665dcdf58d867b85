import type { Firing, FiringState, ScheduleDefinition } from '../model/schedule/schedule.ts'

/** A schedule as it is stored. */
export interface StoredSchedule extends ScheduleDefinition {
  readonly paused: boolean
  readonly createdAt: Date
  /** Times up to here have been looked at. */
  readonly consideredUntil: Date
  readonly last: Firing | null
}

/** A time of a schedule that is this process's to start. */
export interface TakenFiring {
  readonly schedule: StoredSchedule
  readonly at: Date
  readonly state: 'pending' | 'waiting'
}

/** Schedules and their times. One row a schedule and time: so that of many processes one alone starts it. */
export interface ScheduleStore {
  /** `false`: there is one of this name. */
  create(schedule: ScheduleDefinition): Promise<boolean>
  get(name: string): Promise<StoredSchedule | null>
  /** By name. */
  list(): Promise<readonly StoredSchedule[]>
  /** `false`: there is none. What it started goes on. */
  remove(name: string): Promise<boolean>
  /** Times that pass while it is paused do not count as missed. `false`: there is none. */
  setPaused(name: string, paused: boolean): Promise<boolean>

  /** Notes that a time has come, unless somebody did before. */
  note(name: string, at: Date, state: FiringState, reason: string | null): Promise<void>
  /** Takes, for a minute, one time that waits to be started and that nobody else has taken; `null`: there is none. */
  take(): Promise<TakenFiring | null>
  /** How a taken time went. `pending` and `waiting`: to be looked at again after the delay. */
  settle(
    name: string,
    at: Date,
    how: { state: FiringState; runId: string | null; reason: string | null; delayMs: number },
  ): Promise<void>
}
