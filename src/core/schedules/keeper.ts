import { lastDue } from '../../model/schedule/cron.ts'
import { isWithin, windowEnd } from '../../model/schedule/window.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { ScheduleStore, StoredSchedule, TakenFiring } from '../../ports/schedule-store.ts'
import type { RunContext } from '../submit-run.ts'
import { fire, firingKey } from './fire.ts'

export interface KeeperOptions {
  readonly schedules: ScheduleStore
  readonly context: RunContext
  readonly clock: Pick<Clock, 'sleep'>
  /** What time it is, on the wall. */
  readonly now: () => Date
  readonly log: Log
}

/** Looks after schedules in this process, as others do in theirs. */
export interface Keeper {
  /** Ends the loop, once what is under way is done. */
  stop(): Promise<void>
}

const lookEveryMs = 1000
/** A time that is noticed later than this counts as missed. */
const lateMs = 15_000
/** What could not be started for a reason that may pass is tried again, for this long. */
const patienceMs = 3_600_000
const retryMs = 30_000
const waitMs = 2000

/** Looks at all schedules once: notes the times that have come, and starts what waits. */
export async function lookAtSchedules(options: KeeperOptions, signal?: AbortSignal): Promise<void> {
  const { schedules } = options
  for (const schedule of await schedules.list()) {
    if (!schedule.paused) await noteDue(options, schedule)
  }
  for (let taken = await schedules.take(); taken !== null; taken = await schedules.take()) {
    await start(options, taken)
    if (signal?.aborted === true) return
  }
}

/** Looks every second, until it is stopped. */
export function startKeeper(options: KeeperOptions): Keeper {
  const { clock, now, log } = options
  const stopping = new AbortController()

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await lookAtSchedules(options, stopping.signal)
      } catch (error) {
        log.warn('schedules could not be looked at', { error, at: now().toISOString() })
      }
      await clock.sleep(lookEveryMs, stopping.signal)
    }
  }

  const looping = loop()
  return {
    stop: async () => {
      stopping.abort()
      await looping
    },
  }
}

/** Notes the last time that has come since the schedule was looked at; earlier ones it stands for. */
async function noteDue({ schedules, now }: KeeperOptions, schedule: StoredSchedule): Promise<void> {
  const at = lastDue(schedule.cron, schedule.timeZone, schedule.consideredUntil, now())
  if (at === null) return
  const isMissed = now().getTime() - at.getTime() > lateMs
  if (isMissed && schedule.missed === 'skip') {
    await schedules.note(schedule.name, at, 'skipped', 'missed: no process was there at the time')
  } else {
    await schedules.note(schedule.name, at, 'pending', null)
  }
}

async function start(options: KeeperOptions, { schedule, at, state }: TakenFiring): Promise<void> {
  const { schedules, context, now, log } = options
  const settle = (how: Parameters<ScheduleStore['settle']>[2]) => schedules.settle(schedule.name, at, how)
  const ended = (result: 'skipped' | 'failed', reason: string) =>
    settle({ state: result, runId: null, reason, delayMs: 0 })
  const ageMs = now().getTime() - at.getTime()
  const { window, timeZone } = schedule
  if (window !== null && !isWithin(window, timeZone, at)) {
    return ended('skipped', `it is outside its window ${window}`)
  }
  if (window !== null && windowEnd(window, timeZone, at) <= now()) {
    return ended('skipped', 'its window closed before it could start')
  }
  const busy = await openRunOf(context, schedule.name, at)
  if (busy !== null && schedule.overlap === 'skip' && state === 'pending') {
    return ended('skipped', `run ${busy} was still under way`)
  }
  if (busy !== null) {
    return settle({
      state: 'waiting',
      runId: null,
      reason: `waits for the end of run ${busy}`,
      delayMs: waitMs,
    })
  }
  try {
    const started = await fire(context, schedule, at, firingKey(schedule, at))
    switch (started.kind) {
      case 'accepted':
        return await settle({ state: 'started', runId: started.runId, reason: null, delayMs: 0 })
      case 'faulty':
        return await ended(
          'failed',
          started.faults.map(({ field, message }) => `${field}: ${message}`).join('; '),
        )
      case 'key_reused':
        // Its plan or options were changed between two tries: the run of the first counts.
        return await ended('failed', `it was started before under the key ${started.key}`)
      case 'unreachable':
        if (ageMs > patienceMs) return await ended('failed', started.message)
        return await settle({ state, runId: null, reason: started.message, delayMs: retryMs })
      default:
        return started satisfies never
    }
  } catch (error) {
    log.warn('a schedule could not start its run', { schedule: schedule.name, error })
    const reason = error instanceof Error ? error.message : String(error)
    if (ageMs > patienceMs) return ended('failed', reason)
    return settle({ state, runId: null, reason, delayMs: retryMs })
  }
}

/** The id of a run of another time of the schedule that is not over; `null`: there is none. */
async function openRunOf({ runs }: RunContext, schedule: string, at: Date): Promise<string | null> {
  const { items } = await runs.list({ limit: 10, schedule })
  return items.find((run) => run.state !== 'done' && run.scheduledFor !== at.toISOString())?.id ?? null
}
