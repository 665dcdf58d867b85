import { link, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '../../ports/log.ts'
import { EmbeddedFailure } from './failure.ts'
import { identityFile, readIdentity } from './home.ts'
import { systemDatabases, type Place } from './place.ts'
import { lockedCode, systemCommand } from './system-command.ts'

/** Beside the data of a home: the path of that home. */
const pathFile = 'home-path'
/** Beside the data of a home: another name of its home.json, which tells a home that was moved from one deleted. */
const linkFile = 'home-link'
const weekMs = 7 * 86_400_000

/**
 * Writes beside the data whose it is. Throws {@link EmbeddedFailure} where the home is a copy of one that is still
 * there: two homes must not share a database unknowingly. Only root's data lies apart from its home.
 */
export async function recordHome(place: Place, id: string): Promise<void> {
  if (place.owner === null) return
  const note = join(place.folder, pathFile)
  const before = await readFile(note, 'utf8').catch(() => null)
  if (before !== null && before !== place.home && (await isHome(before, id))) {
    const [old, now] = await Promise.all([stat(before), stat(place.home)])
    if (old.ino !== now.ino || old.dev !== now.dev) {
      throw new EmbeddedFailure(
        `${place.home} is a copy of ${before}, which owns the database`,
        `delete ${identityFile(place.home)} to begin with an empty database there`,
      )
    }
  }
  if (before !== place.home) {
    await writeFile(`${note}.half`, place.home)
    await rename(`${note}.half`, note)
  }
  // The file's time says when the home was used last.
  await utimes(note, new Date(), new Date())
  // Fails where it is there already, and across file systems, where moved and deleted cannot be told apart.
  await link(identityFile(place.home), join(place.folder, linkFile)).catch(() => {})
}

/** Removes the data of root's homes that were deleted, where no server runs on it. Never throws. */
export async function removeDeadHomes(place: Place, log: Log): Promise<void> {
  if (place.owner === null) return
  for (const id of await readdir(systemDatabases).catch(() => [])) {
    const folder = join(systemDatabases, id)
    if (folder === place.folder || !(await isDead(folder, id))) continue
    const lock = join(folder, 'server.lock')
    const locked = ['flock', '--nonblock', '--conflict-exit-code', String(lockedCode), lock]
    const removed = await systemCommand([...locked, 'rm', '-rf', folder], place.owner)
    if (removed.exitCode === lockedCode) continue
    // Its last part stands in a folder of root's, which that user cannot remove from.
    await rm(folder, { recursive: true, force: true }).catch(() => {})
    log.info('removed the database of a home that is gone', { folder })
  }
}

async function isDead(folder: string, id: string): Promise<boolean> {
  const note = join(folder, pathFile)
  const [path, written] = await Promise.all([
    readFile(note, 'utf8').catch(() => null),
    stat(note).catch(() => null),
  ])
  // No note yet: its first start is under way.
  if (path === null || written === null || (await isHome(path, id))) return false
  const linked = await stat(join(folder, linkFile)).catch(() => null)
  return linked === null ? Date.now() - written.mtimeMs > weekMs : linked.nlink === 1
}

async function isHome(path: string, id: string): Promise<boolean> {
  // One that cannot be read is no proof of a deletion.
  const identity = await readIdentity(path).catch(() => ({ id }))
  return identity?.id === id
}
