import type { PlanOptions } from '../../model/plan/plan.ts'
import type { ScheduleDefinition } from '../../model/schedule/schedule.ts'
import { windowEnd } from '../../model/schedule/window.ts'
import type { StoredSchedule } from '../../ports/schedule-store.ts'
import { submitSingle, submitRun, type RunContext, type SubmittedRun } from '../submit-run.ts'

/** Starts what a schedule is for, as a run of its own; with one key, once. */
export async function fire(
  context: RunContext,
  schedule: ScheduleDefinition,
  at: Date,
  idempotencyKey: string,
): Promise<SubmittedRun> {
  const { name, window, timeZone, maxCost, work } = schedule
  const night = {
    schedule: name,
    scheduledFor: at.toISOString(),
    ...(window === null ? {} : { startsUntil: windowEnd(window, timeZone, at).toISOString() }),
    ...(maxCost === null ? {} : { maxCostUsd: maxCost }),
  }
  const options = { door: 'rest', pool: null, idempotencyKey } as const
  if (work.kind === 'task') return submitSingle(context, { task: work.task, title: name, ...night }, options)
  const { repo, planPath, defaults } = work
  const request = {
    source: { kind: 'path' as const, path: planPath },
    repo,
    defaults: defaults as PlanOptions,
    ...night,
  }
  return submitRun(context, request, options)
}

/** The key under which one time of a schedule is started, once over all processes and crashes. */
export function firingKey({ name, createdAt }: Pick<StoredSchedule, 'name' | 'createdAt'>, at: Date): string {
  return `schedule/${name}/${createdAt.toISOString()}/${at.toISOString()}`
}
