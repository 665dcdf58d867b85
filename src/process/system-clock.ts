import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../ports/clock.ts'

/** The machine's clock; waiting and measuring only, on time that never jumps. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await wait(ms, undefined, signal === undefined ? {} : { signal })
    } catch {
      // Aborted: the caller looks at its signal.
    }
  },
}
