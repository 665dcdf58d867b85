import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../ports/log.ts'
import { withFileLock } from '../process/file-lock.ts'

/** A mirror that is in use is left for the next time. */
const lockWaitMs = 1000

/** Removes the mirrors of a home that no task has started from for so long; the next task fetches anew. */
export async function removeOldMirrors(options: {
  readonly home: string
  readonly olderMs: number
  readonly log: Log
}): Promise<void> {
  const { home, olderMs, log } = options
  const folder = join(home, 'mirrors')
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter((each) => each.endsWith('.git'))) {
    const path = join(folder, name)
    if ((await lastUse(path)) > Date.now() - olderMs) continue
    await withFileLock(`${path}.lock`, lockWaitMs, async () => {
      // A task may have come in between.
      if ((await lastUse(path)) > Date.now() - olderMs) return
      const gone = `${path}.gone`
      await rm(gone, { recursive: true, force: true })
      await rename(path, gone)
      await rm(gone, { recursive: true, force: true })
      log.info('removed a mirror that was not used any more', { mirror: name })
    }).catch((error: unknown) => log.warn('a mirror could not be removed', { mirror: name, error }))
  }
}

/** Milliseconds since the epoch: the time of the pin that was used last, and of the mirror itself where it has none. */
async function lastUse(path: string): Promise<number> {
  const pins = join(path, 'refs', 'pinned')
  const files = (await readdir(pins).catch(() => [])).map((name) => join(pins, name))
  const times = await Promise.all(
    [path, ...files].map((each) =>
      stat(each).then(
        (found) => found.mtimeMs,
        () => 0,
      ),
    ),
  )
  return Math.max(...times)
}
