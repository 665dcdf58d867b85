import { accessSync, constants } from 'node:fs'

const inMemory = '/dev/shm'

/**
 * Where short-lived files that have no name for long are made: in memory where the machine has such a place, since a
 * busy disk would hold up this whole process; else the given folder.
 */
export function memoryFolder(otherwise: string): string {
  try {
    accessSync(inMemory, constants.W_OK)
    return inMemory
  } catch {
    return otherwise
  }
}
