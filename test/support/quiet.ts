import type { Log } from '../../src/ports/log.ts'

/** A log for tests that do not look at it. */
export const quiet: Log = { info: () => {}, warn: () => {}, error: () => {} }
