import type { PipelineParts } from './attempt.ts'

const waitsMs = [100, 500, 1000, 2000, 4000, 8000]

/**
 * Writes what must be written: a database that is away for a moment is waited for, up to about 15 s. Every such write
 * is fenced by its lease, so that one which was done but whose answer was lost can be done again.
 */
export async function persist<T>(
  parts: Pick<PipelineParts, 'clock' | 'isTransient'>,
  write: () => Promise<T>,
): Promise<T> {
  for (const waitMs of waitsMs) {
    try {
      return await write()
    } catch (error) {
      if (!parts.isTransient(error)) throw error
    }
    await parts.clock.sleep(waitMs)
  }
  return write()
}
