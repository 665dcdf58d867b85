import { readdirSync, readFileSync } from 'node:fs'

const closeOnExec = 0o2000000
let found: readonly number[] | null = null

/**
 * Descriptors that this process inherited and every child would inherit in turn, such as those of a CI's shell: they
 * could lead out of a jail. What Node opens by itself never is among them, so one look is enough.
 */
export function strayDescriptors(): readonly number[] {
  found ??= readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && isInherited(fd))
  return found
}

function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1]
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0
  } catch {
    // The one by which the list was read.
    return false
  }
}
