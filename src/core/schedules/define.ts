import type { z } from 'zod'
import { nextTimes } from '../../model/schedule/cron.ts'
import { isWithin } from '../../model/schedule/window.ts'
import type { newScheduleSchema, Schedule, ScheduleDefinition } from '../../model/schedule/schedule.ts'
import type { StoredSchedule } from '../../ports/schedule-store.ts'
import { judge } from '../judge-submission.ts'
import type { FieldFault } from '../submit.ts'
import type { RunContext } from '../submit-run.ts'

type NewSchedule = z.output<typeof newScheduleSchema>

/** A schedule as it is to be stored; `body`: as it came, since options are kept as they were written. */
export function definitionOf(
  schedule: NewSchedule,
  body: Readonly<Record<string, unknown>>,
): ScheduleDefinition {
  const { name, cron, timeZone, overlap, missed, window, maxCost, task, repo, planPath } = schedule
  const own = new Set([
    'name',
    'cron',
    'timeZone',
    'overlap',
    'missed',
    'window',
    'maxCost',
    'repo',
    'planPath',
  ])
  const defaults = Object.fromEntries(Object.entries(body).filter(([key]) => !own.has(key)))
  const work =
    task === undefined
      ? { kind: 'plan' as const, repo: repo ?? '', planPath: planPath ?? '', defaults }
      : { kind: 'task' as const, task }
  return { name, cron, timeZone, overlap, missed, window: window ?? null, maxCost: maxCost ?? null, work }
}

/** What would keep the schedule from starting anything, as far as it can be known now. The plan is not read yet. */
export async function workFaults(
  context: RunContext,
  { cron, timeZone, window, work }: ScheduleDefinition,
): Promise<readonly FieldFault[]> {
  const next = nextTimes(cron, timeZone, new Date(), shownTimes)
  if (window !== null && !next.some((at) => isWithin(window, timeZone, at))) {
    return [{ field: 'window', message: 'none of the next times of cron lies within it' }]
  }
  if (work.kind === 'task') {
    if ('branch' in work.task) {
      return [{ field: 'task.branch', message: 'must be left out: every run would want the same one' }]
    }
    const judged = await judge(context.submit, work.task, 'rest')
    return judged.ok ? [] : judged.faults.map((fault) => ({ ...fault, field: `task.${fault.field}` }))
  }
  const { repo, defaults } = work
  // Any task of the plan may name its own agent.
  const agent = 'agent' in defaults || 'command' in defaults ? {} : { command: 'true' }
  const judged = await judge(context.submit, { ...defaults, ...agent, repo, prompt: 'any' }, 'rest')
  return judged.ok ? [] : judged.faults
}

const shownTimes = 5

/** A stored schedule as it is shown. */
export function toSchedule(stored: StoredSchedule, now: Date): Schedule {
  const { name, cron, timeZone, overlap, missed, window, maxCost, work, paused, last, createdAt } = stored
  const next = paused ? [] : nextTimes(cron, timeZone, now, shownTimes)
  return {
    name,
    cron,
    timeZone,
    overlap,
    missed,
    window,
    maxCost,
    paused,
    last,
    task: work.kind === 'task' ? { ...work.task } : null,
    repo: work.kind === 'plan' ? work.repo : null,
    planPath: work.kind === 'plan' ? work.planPath : null,
    defaults: work.kind === 'plan' ? { ...work.defaults } : {},
    next: next.map((time) => time.toISOString()),
    createdAt: createdAt.toISOString(),
  }
}

/** Whether two schedules say the same. */
export function isSame(one: ScheduleDefinition, other: ScheduleDefinition): boolean {
  const plain = ({ name, cron, timeZone, overlap, missed, window, maxCost, work }: ScheduleDefinition) =>
    canonical({ name, cron, timeZone, overlap, missed, window, maxCost, work })
  return plain(one) === plain(other)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
