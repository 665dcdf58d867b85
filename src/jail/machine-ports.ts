import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Relay } from '../ports/runtime.ts'
import { shortSocketPath } from '../process/unix-socket.ts'

/**
 * Ports of the machine's own loopback that lead to sockets, for a sandbox that shares the machine's network. Answers how
 * to close them. Rejects with the operating system's error where a port is taken.
 */
export async function openMachinePorts(relays: readonly Relay[]): Promise<() => Promise<void>> {
  const opened: { server: Server; sockets: Set<Socket> }[] = []
  const close = async () => {
    await Promise.all(
      opened.map(async ({ server, sockets }) => {
        const closed = once(server, 'close')
        server.close()
        for (const socket of sockets) socket.destroy()
        await closed
      }),
    )
  }
  try {
    for (const { port, socket } of relays) {
      const sockets = new Set<Socket>()
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) =>
        join(client, connectTo(socket), sockets),
      )
      await once(server.listen(port, '127.0.0.1'), 'listening')
      opened.push({ server, sockets })
    }
    return close
  } catch (error) {
    await close()
    throw error
  }
}

function connectTo(socket: string): Socket {
  const short = shortSocketPath(socket)
  const connection = connect({ path: short.path, allowHalfOpen: true })
  connection.once('connect', short.close).once('error', short.close)
  return connection
}

function join(client: Socket, socket: Socket, sockets: Set<Socket>): void {
  for (const [from, to] of [
    [client, socket],
    [socket, client],
  ] as const) {
    sockets.add(from)
    from.pipe(to)
    from.on('error', () => to.destroy())
    from.on('close', () => {
      sockets.delete(from)
      to.destroy()
    })
  }
}
