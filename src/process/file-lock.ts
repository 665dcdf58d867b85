import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** The lock could not be had in time: another process holds it, perhaps a stopped one. */
export class LockTimeout extends Error {
  override readonly name = 'LockTimeout'
}

/**
 * Runs `work` while holding an exclusive lock (flock(2)) on a file, which is made where it is missing. The lock is
 * held by a child whose input ends with this process: however this process dies, the kernel releases it.
 */
export async function withFileLock<T>(path: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  const seconds = String(waitMs / 1000)
  const holder = spawn('flock', ['--wait', seconds, path, 'sh', '-c', 'echo locked; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  })
  const closed = once(holder, 'close')
  closed.catch(() => {})
  holder.stdin.on('error', () => {})
  const locked = await Promise.race([once(holder.stdout, 'data').then(() => true), closed.then(() => false)])
  if (!locked) throw new LockTimeout(`another process holds ${path} for more than ${seconds} s`)
  try {
    return await work()
  } finally {
    holder.stdin.end()
    await closed
  }
}
