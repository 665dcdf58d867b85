import { readlinkSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const othersMayEnter = 0o001

/**
 * Root's tools and work folders live under folders that nobody else may enter, such as /root, and the jail's own user
 * is somebody else. So a first bubblewrap, as root, shows the machine as it is but for those closed folders: each is
 * replaced by one that holds only the given sources, at the same paths, and can be entered.
 */
export function stagingArguments(sources: readonly string[]): string[] {
  const closed = new Map<string, string[]>()
  // Each mount costs time at every start, so what lies in another source comes with it.
  const tops = sources.filter((source) => !sources.some((other) => source.startsWith(`${other}/`)))
  for (const source of new Set(tops)) {
    const folder = closedFolderAbove(source)
    if (folder !== null) closed.set(folder, [...(closed.get(folder) ?? []), source])
  }
  return [
    ...(inFirstPidNamespace() ? ['--unshare-pid'] : []),
    '--die-with-parent',
    '--clearenv',
    '--dev-bind',
    '/',
    '/',
    ...[...closed].flatMap(([folder, inside]) => stage(folder, inside)),
  ]
}

/**
 * Whether this process is in the machine's first namespace of process ids, and not in a container. The jail inside looks
 * its own process up in /proc by the number that it has in here: among the first ones every machine has some kernel
 * thread of that number, but a container has none. There the chain of parents alone ends what is inside.
 */
function inFirstPidNamespace(): boolean {
  // The kernel's own constant, PROC_PID_INIT_INO.
  return readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]'
}

function stage(closed: string, sources: readonly string[]): string[] {
  const args = ['--perms', '0755', '--tmpfs', closed]
  // A parent has to be there before what lies in it; those that bubblewrap would make could be entered by root alone.
  const parents = new Set(sources.flatMap((source) => foldersBetween(closed, source)))
  for (const parent of [...parents].toSorted()) args.push('--perms', '0755', '--dir', parent)
  for (const source of sources.toSorted()) args.push('--bind', source, source)
  return args
}

function foldersBetween(top: string, path: string): string[] {
  const parent = dirname(path)
  return parent === top ? [] : [...foldersBetween(top, parent), parent]
}

/** The topmost folder above a path that is closed to others; `null`: all are open. Throws where the path is not there. */
export function closedFolderAbove(path: string): string | null {
  let topmost: string | null = null
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & othersMayEnter) === 0) topmost = folder
    if (folder === '/') return topmost
  }
}
