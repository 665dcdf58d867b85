import { lstat } from 'node:fs/promises'
import { RuntimeFailure } from '../ports/runtime.ts'
import type { Run } from '../process/spawner.ts'

const patienceMs = 10 * 60_000
const env = { PATH: '/usr/bin:/bin:/run/current-system/sw/bin', LC_ALL: 'C' }

/**
 * Removes a folder whatever is in it: 100,000 files, folders without rights, names that are no text. Rejects with
 * {@link RuntimeFailure} where it is not gone afterwards.
 */
export async function removeTree(path: string, run: Run): Promise<void> {
  if (!(await exists(path))) return
  // The system's rm, not Node's: many times faster on large trees, and not stopped by paths of any length.
  const first = await run(['rm', '-rf', '--', path], { env, timeoutMs: patienceMs })
  if (first.exitCode === 0 && !(await exists(path))) return
  // Folders that their owner may not enter. chmod -R follows no symbolic link that it finds.
  await run(['chmod', '-R', 'u+rwX', '--', path], { env, timeoutMs: patienceMs })
  const second = await run(['rm', '-rf', '--', path], { env, timeoutMs: patienceMs })
  if (await exists(path))
    throw new RuntimeFailure(`${path} could not be removed: ${second.stderr.slice(-1000)}`)
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
