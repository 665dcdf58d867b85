import { parseDuration } from '../model/duration.ts'
import { UsageError } from './command-failure.ts'

const maxGraceMs = 86_400_000

/** Milliseconds of `--grace`; throws {@link UsageError}. */
export function graceMs(text: string): number {
  const ms = parseDuration(text)
  if (ms !== null && ms <= maxGraceMs) return ms
  throw new UsageError('--grace: must be a duration of at most 1d, written like 30s or 5m')
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
