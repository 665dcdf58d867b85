import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'

let own: string | null = null

/**
 * A part of names that tells which process made a thing that the kernel does not clean up by itself: this process, in
 * a form that no later process, and none of another container, shares.
 */
export function processTag(): string {
  own ??= `nightshift-${namespace()}-${process.pid}-${startTicks(process.pid) ?? 0}`
  return own
}

/** Whether a name was tagged by a process that is dead for certain. Never throws. */
export function isTagOfDead(name: string): boolean {
  const [, space, pid, ticks] = /^nightshift-(\d+)-(\d+)-(\d+)-/.exec(name) ?? []
  // Process ids of another container say nothing here.
  return space !== undefined && space === namespace() && startTicks(Number(pid)) !== ticks
}

/** Removes files that dead processes left in a folder in which they had names for a moment only. Never throws. */
export function sweepTagged(folder: string): void {
  try {
    for (const name of readdirSync(folder).filter(isTagOfDead)) rmSync(join(folder, name), { force: true })
  } catch {
    // Those of other users are theirs to remove.
  }
}

function namespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
  } catch {
    return '0'
  }
}

/** When a process started, in ticks since the machine booted; `null`: it is gone. */
function startTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
