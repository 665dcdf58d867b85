import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { EngineAddress } from '../../src/model/engine-address.ts'
import { engineHost } from './engine.ts'

/** A way to the real engine that can be broken, as a machine or its network can. */
export interface BreakableEngine {
  readonly address: EngineAddress
  /** Nothing goes through any more, and nothing says so. */
  freeze(): void
  thaw(): void
  /** Everything is cut off, and nobody listens. */
  kill(): Promise<void>
  /** After {@link kill}: it is there again, at the same address. */
  revive(): Promise<void>
  close(): Promise<void>
}

/** `null`: the engine is none that can be reached by an address. */
export const breakable = engineHost !== null && /^(?:unix|tcp):/.test(engineHost)

export async function openBreakable(slots = 8): Promise<BreakableEngine> {
  const sockets = new Set<Socket>()
  let frozen = false
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const engine = connect({ ...target(), allowHalfOpen: true })
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      sockets.add(from)
      if (!frozen) from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        if (!frozen) to.destroy()
      })
    }
    partners.set(client, engine)
    partners.set(engine, client)
  })
  const partners = new Map<Socket, Socket>()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const stop = async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return {
    address: { address: `tcp://127.0.0.1:${port}`, slots },
    freeze() {
      frozen = true
      for (const socket of sockets) {
        socket.unpipe()
        socket.pause()
      }
    },
    thaw() {
      frozen = false
      for (const socket of sockets) {
        const partner = partners.get(socket)
        if (partner !== undefined) socket.pipe(partner)
      }
    },
    kill: stop,
    async revive() {
      await once(server.listen(port, '127.0.0.1'), 'listening')
    },
    close: () => (server.listening ? stop() : Promise.resolve()),
  }
}

function target(): { path: string } | { host: string; port: number } {
  const address = engineHost ?? ''
  if (address.startsWith('unix://')) return { path: address.slice('unix://'.length) }
  const url = new URL(address)
  return { host: url.hostname, port: Number(url.port) }
}
