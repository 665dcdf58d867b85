import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { firstLine } from './first-line.ts'
import { makeHubFolder } from './hub-folder.ts'
import type { Greeting } from './protocol.ts'

/** A sandbox that a container is expected to call for. */
export interface ExpectedCall {
  /** Resolves when its keeper has called. */
  readonly called: Promise<Socket>
  /** A number by which the keeper reaches a socket of this machine. */
  relayTo(socketPath: string): number
  /** Nobody is expected any more; relays end. */
  forget(): void
}

interface Expected {
  readonly call: PromiseWithResolvers<Socket>
  readonly relays: Map<number, string>
  readonly sockets: Set<Socket>
}

const greetingMs = 10_000

/**
 * The one socket of this process that containers call: their keepers to be told what to do, and what is in their jails
 * to reach a relay. Containers see it by way of the engine's session; nobody else may open it.
 */
export class Hub {
  readonly #token: string
  readonly #server: Server
  readonly #expected = new Map<string, Expected>()
  readonly #sockets = new Set<Socket>()
  readonly #folder: string
  readonly path: string

  /** `token`: what every caller has to know. Rejects with the operating system's error. */
  static async open(token: string): Promise<Hub> {
    const { folder, socketPath } = await makeHubFolder()
    const hub = new Hub(token, folder, socketPath)
    await once(hub.#server.listen(hub.path), 'listening')
    chmodSync(hub.path, 0o600)
    return hub
  }

  private constructor(token: string, folder: string, socketPath: string) {
    this.#token = token
    this.#folder = folder
    this.path = socketPath
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => this.#sockets.delete(socket))
      void this.#greet(socket).catch(() => socket.destroy())
    })
  }

  /** Expects one call for a sandbox. */
  expect(life: string): ExpectedCall {
    const expected: Expected = {
      call: Promise.withResolvers<Socket>(),
      relays: new Map(),
      sockets: new Set(),
    }
    this.#expected.set(life, expected)
    return {
      called: expected.call.promise,
      relayTo(socketPath) {
        const known = [...expected.relays].find(([, path]) => path === socketPath)
        const number = known?.[0] ?? expected.relays.size + 1
        expected.relays.set(number, socketPath)
        return number
      },
      forget: () => {
        this.#expected.delete(life)
        for (const socket of expected.sockets) socket.destroy()
      },
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #greet(socket: Socket): Promise<void> {
    const greeting = JSON.parse(await firstLine(socket, greetingMs)) as Greeting
    const expected = this.#expected.get(greeting.life)
    if (expected === undefined || !this.#knows(greeting.token)) throw new Error('nobody waits for this call')
    if (greeting.relay === null) {
      expected.call.resolve(socket)
      return
    }
    const path = expected.relays.get(greeting.relay)
    if (path === undefined) throw new Error('there is no such relay')
    const onward = connect({ path, allowHalfOpen: true })
    expected.sockets.add(socket)
    socket.pipe(onward)
    onward.pipe(socket)
    onward.on('error', () => socket.destroy())
    onward.once('close', () => socket.destroy())
    socket.once('close', () => {
      expected.sockets.delete(socket)
      onward.destroy()
    })
  }

  #knows(token: unknown): boolean {
    const [given, own] = [Buffer.from(String(token)), Buffer.from(this.#token)]
    return given.length === own.length && timingSafeEqual(given, own)
  }
}
