import { createServer, type Server } from 'node:net'
import { RuntimeFailure } from '../ports/runtime.ts'

/** Ids of the machine to which root gives sandboxes; none of them may belong to a person or a service. */
export interface UidRange {
  readonly first: number
  readonly count: number
}

/** Past the ids of people, services and systemd's dynamic users; before those of most containers. */
export const defaultUids: UidRange = { first: 65_600, count: 1000 }

/** A user id that no other sandbox of the machine has, until it is released. */
export interface UidSlot {
  readonly uid: number
  release(): Promise<void>
}

/**
 * Takes a free id. It is held by an abstract socket's name: taken by one process at a time, and given back by the
 * kernel however that process ends. Rejects with {@link RuntimeFailure} where all are taken.
 */
export async function takeUid(range: UidRange): Promise<UidSlot> {
  for (let offset = 0; offset < range.count; offset++) {
    const uid = range.first + offset
    const server = await listen(`\0nightshift/uid/${uid}`)
    if (server === null) continue
    server.unref()
    return { uid, release: () => new Promise((resolve) => server.close(() => resolve())) }
  }
  const last = range.first + range.count - 1
  throw new RuntimeFailure(
    `all user ids for sandboxes are taken, ${range.first} to ${last}: lower NIGHTSHIFT_SLOTS`,
  )
}

function listen(name: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null)
      else reject(new RuntimeFailure(`no user id for a sandbox: ${error.message}`, { cause: error }))
    })
    server.listen({ path: name, exclusive: true }, () => resolve(server))
  })
}
