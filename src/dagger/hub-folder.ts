import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'nightshift-hub-'
const socketName = 'socket'
const settledMs = 10_000

/**
 * Makes a folder for a socket that containers call, and removes those of processes that were killed. The path is short,
 * since a socket's may have 107 bytes. Rejects with the operating system's error.
 */
export async function makeHubFolder(): Promise<{ readonly folder: string; readonly socketPath: string }> {
  await removeDead()
  const folder = await mkdtemp(join(tmpdir(), prefix))
  return { folder, socketPath: join(folder, socketName) }
}

/** What is somebody else's, or goes away meanwhile, is left alone. */
async function removeDead(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => [])
  const folders = names.filter((name) => name.startsWith(prefix)).map((name) => join(tmpdir(), name))
  await Promise.all(
    folders.map(async (folder) => {
      if (await isDead(join(folder, socketName)))
        await rm(folder, { recursive: true, force: true }).catch(() => {})
    }),
  )
}

/** A socket that has stood there for a while and refuses has nobody behind it any more; before, it may be about to listen. */
async function isDead(path: string): Promise<boolean> {
  const made = await stat(path).catch(() => null)
  if (made === null || Date.now() - made.mtimeMs < settledMs) return false
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
  } finally {
    socket.destroy()
  }
}
