import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Place } from './place.ts'

/**
 * The server's first process; `null`: none. Found by where it works and not by its pid file, which may be gone, or
 * name a process that only got its old id: all processes of a server work in its data folder, and the first one is
 * nobody's child among them. `processes`: where the system shows them.
 */
export async function serverPid(place: Pick<Place, 'data'>, processes = '/proc'): Promise<number | null> {
  const data = await stat(place.data).catch(() => null)
  if (data === null) return null
  const parents = new Map<string, string>()
  for (const name of await readdir(processes)) {
    if (!/^\d+$/.test(name)) continue
    // Those of other users cannot be looked at, and cannot be ours.
    const folder = await stat(join(processes, name, 'cwd')).catch(() => null)
    if (folder?.ino !== data.ino || folder.dev !== data.dev) continue
    // A person's shell can stand there, too.
    const program = await readlink(join(processes, name, 'exe')).catch(() => '')
    if (!/^postgres\b/.test(basename(program))) continue
    const stats = await readFile(join(processes, name, 'stat'), 'utf8').catch(() => '')
    // Field 4, counted from behind the name in parentheses, which can hold anything.
    parents.set(name, stats.slice(stats.lastIndexOf(')') + 2).split(' ')[1] ?? '')
  }
  const first = [...parents].find(([, parent]) => !parents.has(parent))
  return first === undefined ? null : Number(first[0])
}
