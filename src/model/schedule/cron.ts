import { Cron } from 'croner'

/**
 * The times of a cron pattern in a time zone. A fixed time that a clock change leaves out comes right after it, one that
 * comes twice counts once; patterns of intervals go on by elapsed time (croner 11, `fixedTimeRule`).
 */
function cronOf(pattern: string, timeZone: string): Cron {
  return new Cron(pattern, { paused: true, mode: '5-part', timezone: timeZone, fixedTimeRule: 'no-wildcard' })
}

/** What is wrong with a pattern, as a clause; `null`: nothing. */
export function cronFault(pattern: string): string | null {
  try {
    const next = cronOf(pattern, 'UTC').nextRun(new Date('2024-01-01T00:00:00Z'))
    return next === null ? 'names no time that ever comes' : null
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error)
    return `must be five fields, such as 30 2 * * 1-5 (minute hour day month weekday): ${why}`
  }
}

/** Whether this machine knows the time zone. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** The next times after one, at most so many. */
export function nextTimes(pattern: string, timeZone: string, after: Date, count: number): readonly Date[] {
  return cronOf(pattern, timeZone).nextRuns(count, after)
}

const manyMs = 2 * 86_400_000

/** The last time after `after` and up to `until`; `null`: there is none. */
export function lastDue(pattern: string, timeZone: string, after: Date, until: Date): Date | null {
  const cron = cronOf(pattern, timeZone)
  let from = after
  // Of a long absence only the end matters.
  if (until.getTime() - after.getTime() > manyMs) {
    const [recent] = cron.previousRuns(1, until)
    if (recent !== undefined && recent > after) from = new Date(recent.getTime() - 1000)
  }
  let last: Date | null = null
  for (let next = cron.nextRun(from); next !== null && next <= until; next = cron.nextRun(next)) last = next
  return last
}
