import { z } from 'zod'
import { parseDuration } from '../duration.ts'
import { nextTimes } from './cron.ts'

const maxMs = 7 * 86_400_000
const clock = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/

/** A time after which nothing new starts: so long after the start (`6h`), or the end of `22:00-06:00`. */
export const windowSchema = z
  .string()
  .refine(
    (text) => clock.test(text) || isLength(parseDuration(text)),
    'must be a duration of 1m to 7d, such as 6h, or times of day, such as 22:00-06:00',
  )
  .meta({ description: 'Nothing new starts after it: a duration such as 6h, or times such as 22:00-06:00.' })

function isLength(ms: number | null): boolean {
  return ms !== null && ms >= 60_000 && ms <= maxMs
}

/** Whether a start at this time lies within: with a length, every start opens its own window. */
export function isWithin(window: string, timeZone: string, at: Date): boolean {
  const times = clock.exec(window)
  if (times === null) return true
  const [, fromHour = '', fromMinute = '', toHour = '', toMinute = ''] = times
  const [from, to] = [`${fromHour}:${fromMinute}`, `${toHour}:${toMinute}`]
  const now = at.toLocaleTimeString('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' })
  return from < to ? now >= from && now < to : now >= from || now < to
}

/** When the window that opens at a start closes. */
export function windowEnd(window: string, timeZone: string, start: Date): Date {
  const times = clock.exec(window)
  if (times === null) return new Date(start.getTime() + (parseDuration(window) ?? maxMs))
  const [, , , hour = '0', minute = '0'] = times
  const [end] = nextTimes(`${Number(minute)} ${Number(hour)} * * *`, timeZone, start, 1)
  return end ?? new Date(start.getTime() + 86_400_000)
}
