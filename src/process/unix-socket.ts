import { closeSync, constants, openSync } from 'node:fs'
import type { Server } from 'node:net'
import { basename, dirname } from 'node:path'

/** What the kernel takes for the path of a socket, without the zero at its end. */
const maxPathBytes = 107

/**
 * A path by which a socket can be bound or connected to, however long its own is: by the folder's descriptor, which is
 * to be closed afterwards. Throws the operating system's error.
 */
export function shortSocketPath(path: string): { readonly path: string; close(): void } {
  if (Buffer.byteLength(path) <= maxPathBytes) return { path, close: () => {} }
  const folder = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  return { path: `/proc/self/fd/${folder}/${basename(path)}`, close: () => closeSync(folder) }
}

/** Listens on a socket of the file system. Rejects with the operating system's error. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  const short = shortSocketPath(path)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ path: short.path, exclusive: true }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } finally {
    short.close()
  }
}
