import { readdir, readFile, stat } from 'node:fs/promises'
import type { Place } from './place.ts'

/**
 * The server's first process; `null`: none. Found by where it works and not by its pid file, which may be gone, or
 * name a process that only got its old id: a server works in its data folder and leads a session of its own.
 */
export async function serverPid(place: Pick<Place, 'data'>): Promise<number | null> {
  const data = await stat(place.data).catch(() => null)
  if (data === null) return null
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    // Those of other users cannot be looked at, and cannot be ours.
    const folder = await stat(`/proc/${name}/cwd`).catch(() => null)
    if (folder?.ino !== data.ino || folder.dev !== data.dev) continue
    const stats = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    // Field 6, counted from behind the name in parentheses, which can hold anything.
    const session = stats.slice(stats.lastIndexOf(')') + 2).split(' ')[3]
    if (session === name) return Number(name)
  }
  return null
}
