import { setInterval } from 'node:timers/promises'
import type { Log } from '../../ports/log.ts'
import type { Place } from './place.ts'
import { askServer } from './server-answer.ts'

const lookMs = 3000

/**
 * Brings back a server that is gone though it is in use, killed for want of memory for example: nobody else would.
 * `start` is tried again and again. Answers what ends it, and waits for a start that is under way.
 */
export function watch(place: Place, start: () => Promise<void>, log: Log): () => Promise<void> {
  const ending = new AbortController()

  async function look(): Promise<void> {
    for await (const _ of setInterval(lookMs, null, { signal: ending.signal, ref: false })) {
      if ((await askServer(place)).kind !== 'absent' || ending.signal.aborted) continue
      log.warn('the embedded database is gone; it is started again', { folder: place.folder })
      await start().catch((error: unknown) => {
        log.error('the embedded database could not be started again', { error: String(error) })
      })
    }
  }

  // It ends by its signal alone, which rejects.
  const looking = look().catch(() => {})
  return async () => {
    ending.abort()
    await looking
  }
}
