import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'

/** Long enough after the start to be in nobody's way. */
const firstAfterMs = 60_000
const everyMs = 3_600_000

/** Does work of the house once an hour, until stopped; what fails is tried again the next time. */
export function startTidying(options: {
  readonly clock: Pick<Clock, 'sleep'>
  readonly log: Log
  readonly work: readonly (() => Promise<void>)[]
}): { stop(): Promise<void> } {
  const { clock, log, work } = options
  const stopping = new AbortController()
  const ended = (async () => {
    await clock.sleep(firstAfterMs, stopping.signal)
    while (!stopping.signal.aborted) {
      for (const each of work) {
        await each().catch((error: unknown) => log.warn('keeping house failed', { error }))
        if (stopping.signal.aborted) return
      }
      await clock.sleep(everyMs, stopping.signal)
    }
  })()
  return {
    stop: () => {
      stopping.abort()
      return ended
    },
  }
}
