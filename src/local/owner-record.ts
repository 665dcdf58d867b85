import { readFileSync, readlinkSync } from 'node:fs'
import { z } from 'zod'
import { identify, isAlive, type ProcessIdentity } from '../process/identity.ts'

const recordSchema = z.object({
  taskId: z.string(),
  pid: z.int().positive(),
  startTicks: z.string(),
  bootId: z.string(),
  pidNamespace: z.string(),
  hostId: z.string(),
  createdAtMs: z.number(),
  groupFolders: z.array(z.string()),
})

/** Who a work folder belongs to: enough to tell, after a crash and from another process, whether it is still used. */
export type OwnerRecord = z.infer<typeof recordSchema>

/** Longer than any task may take. */
const oldestMs = 8 * 86_400_000

/** A record of this process. */
export async function recordOfOurs(taskId: string, groupFolders: readonly string[]): Promise<OwnerRecord> {
  const own = await identify(process.pid)
  return {
    taskId,
    pid: process.pid,
    startTicks: own?.startTicks ?? '',
    ...thisPlace(),
    createdAtMs: Date.now(),
    groupFolders: [...groupFolders],
  }
}

/** `null`: what is written there is no record. */
export function parseRecord(text: string): OwnerRecord | null {
  try {
    return recordSchema.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

/** Whether the owner may still be using its folder. Of owners that cannot be seen from here, the age decides. */
export async function mayBeAlive(record: OwnerRecord): Promise<boolean> {
  const here = thisPlace()
  if (record.hostId === here.hostId) {
    if (record.bootId !== here.bootId) return false
    if (record.pidNamespace === here.pidNamespace) return isAlive(record satisfies ProcessIdentity)
  }
  return Date.now() - record.createdAtMs < oldestMs
}

function thisPlace() {
  return {
    // A home may be shared over a network: process ids of another machine say nothing here.
    hostId: readOr('/etc/machine-id', () => 'unknown'),
    bootId: readOr('/proc/sys/kernel/random/boot_id', () => 'unknown'),
    pidNamespace: linkOr('/proc/self/ns/pid'),
  }
}

function readOr(path: string, otherwise: () => string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return otherwise()
  }
}

function linkOr(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return 'unknown'
  }
}
