import type { ParkingHold } from '../model/task.ts'
import type { Progress } from '../model/progress.ts'
import { Parked } from './attempt.ts'
import type { Book } from './book.ts'

const firstLookMs = 1000
const rarestLookMs = 60_000
/** What has not come by then is left to people. */
const longestWaitMs = 24 * 3_600_000

/** It was waited for too long. */
export class WaitedTooLong extends Error {
  override readonly name = 'WaitedTooLong'
}

/** What a task waits for: another thing begins another wait. */
export type WaitsFor = NonNullable<Progress['waiting']>['for']

/**
 * Parks the task until something outside has changed: looked for after a second, then more and more rarely, and at
 * once when a webhook tells of it. Throws {@link Parked}; {@link WaitedTooLong} where nothing has come for a day, but for
 * what the task cannot do without.
 */
export async function park(
  book: Book,
  what: { for: WaitsFor; hold: ParkingHold; reason: string; delayMs?: number; checksOf?: string | null },
): Promise<never> {
  const before = waitedBefore(book, what.for)
  const since = before?.since ?? new Date().toISOString()
  const looks = before?.looks ?? 0
  const isTooLong = what.for !== 'runtime' && Date.now() - Date.parse(since) > longestWaitMs
  if (isTooLong) throw new WaitedTooLong(what.reason)
  await book.write({
    waiting: { since, looks: looks + 1, for: before?.for ?? what.for, checksOf: what.checksOf ?? null },
  })
  const delayMs = what.delayMs ?? Math.min(firstLookMs * 1.5 ** looks, rarestLookMs)
  throw new Parked({ hold: what.hold, reason: what.reason, delayMs: Math.round(delayMs) })
}

/** How often it has looked for this already. */
export function looksFor(book: Book, what: WaitsFor): number {
  return waitedBefore(book, what)?.looks ?? 0
}

/** A forge that does not answer in the midst of a wait does not begin another one. */
function waitedBefore(book: Book, what: WaitsFor): Progress['waiting'] {
  const { waiting } = book.progress
  return waiting?.for === what || what === 'answer' ? waiting : null
}
