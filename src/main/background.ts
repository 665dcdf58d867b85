import { hostname } from 'node:os'
import { join } from 'node:path'
import { ulid } from 'ulid'
import type { Settings } from '../config/settings.ts'
import type { PipelineParts } from '../core/attempt.ts'
import { startKeeper } from '../core/schedules/keeper.ts'
import { startScheduler, type DiskWatch, type RunningScheduler } from '../core/scheduler.ts'
import type { RunContext } from '../core/submit-run.ts'
import { startTelling } from '../core/tell-ends.ts'
import { startTidying } from '../core/tidying.ts'
import { removeOldMirrors } from '../git/old-mirrors.ts'
import { httpTeller } from '../notify/http-teller.ts'
import { removeOldKept } from '../jail/kept-files.ts'
import type { Log } from '../ports/log.ts'
import type { ScheduleStore } from '../ports/schedule-store.ts'
import type { Database } from '../postgres/database.ts'
import { forgetOld } from '../postgres/retention.ts'
import type { Closers } from '../process/closers.ts'
import { systemClock } from '../process/system-clock.ts'

/** A quarter of the store's lease: three heartbeats may be lost. */
const heartbeatMs = 2500
/** The queue is looked at this often even if no wake-up came. */
const pollMs = 1000

/** What works on beside the doors: the scheduler, and with the shared pool schedules and tidying, too. */
export interface BackgroundParts {
  readonly parts: PipelineParts
  readonly database: Database
  readonly runContext: RunContext
  readonly schedules: ScheduleStore
  readonly machineId: string
  readonly disk: DiskWatch
  readonly log: Log
  readonly closers: Closers
}

/** Starts taking tasks of a pool (`null`: the one that everyone shares). */
export function startBackground(
  settings: Settings,
  { parts, database, runContext, schedules, machineId, disk, log, closers }: BackgroundParts,
  { pool, slots }: { readonly pool: string | null; readonly slots: number },
): RunningScheduler {
  const life = { id: ulid(), host: hostname(), pid: process.pid, slots }
  const scheduler = startScheduler(parts, { life, pool, machineId, heartbeatMs, pollMs, disk, log })
  const { notify } = settings
  if (notify !== null) {
    const tell = httpTeller(notify.url, notify.secret)
    const telling = startTelling({ store: parts.store, tell, clock: systemClock, log })
    closers.push(() => telling.stop())
  }
  if (pool !== null) return scheduler
  const { mirrorsMs } = settings.keep
  const tidying = startTidying({
    clock: systemClock,
    log,
    work: [
      () => forgetOld(database, settings.keep, log),
      ...(mirrorsMs === null
        ? []
        : [
            () => removeOldMirrors({ home: settings.home, olderMs: mirrorsMs, log }),
            async () => {
              const removed = await removeOldKept(join(settings.home, 'kept'), mirrorsMs)
              for (const kept of removed)
                log.info('removed what set-up had made and no task used any more', { kept })
            },
          ]),
    ],
  })
  const now = () => new Date()
  const keeper = startKeeper({ schedules, context: runContext, clock: systemClock, now, log })
  return {
    get running() {
      return scheduler.running
    },
    async drain(graceMs) {
      await Promise.all([tidying.stop(), keeper.stop(), scheduler.drain(graceMs)])
    },
  }
}
