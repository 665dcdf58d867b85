import { lookup } from 'node:dns/promises'
import { chmodSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { listenOnSocket } from '../process/unix-socket.ts'
import { isListed, normalHost, show, type Destination, type OperatorRules } from './egress-rules.ts'

export interface EgressOptions {
  /** Path of the socket on which the proxy listens. */
  readonly socketPath: string
  /** Hosts that this sandbox may reach. */
  readonly hosts: readonly string[]
  readonly operator: OperatorRules
  /** Told once for each host that was asked for and refused, with a sentence. Must not throw. */
  readonly onRefused: (why: string) => void
}

const connectMs = 30_000
/** A connection on which nobody says anything for so long is dropped. */
const idleMs = 10 * 60_000
const maxConnections = 512

/** Headers that are between a client and its proxy, and no business of the server. */
const hopHeaders = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
])

/**
 * The only way out of a sandbox: an HTTP proxy (CONNECT, and plain http) that resolves names itself, judges what they
 * stand for, and connects to exactly the address that it judged.
 */
export class EgressProxy {
  readonly #options: EgressOptions
  readonly #server: Server
  readonly #sockets = new Set<Duplex>()
  readonly #told = new Set<string>()

  /** Resolves when it can be connected to. */
  static async open(options: EgressOptions): Promise<EgressProxy> {
    const proxy = new EgressProxy(options)
    await listenOnSocket(proxy.#server, options.socketPath)
    chmodSync(options.socketPath, 0o666)
    return proxy
  }

  /** Where it listens. */
  get socketPath(): string {
    return this.#options.socketPath
  }

  private constructor(options: EgressOptions) {
    this.#options = options
    // A large upload takes as long as it takes.
    this.#server = createServer({ keepAliveTimeout: idleMs, requestTimeout: 0 })
    this.#server.maxConnections = maxConnections
    this.#server.on('connection', (socket) => this.#keep(socket))
    this.#server.on('connect', (asked, socket, head) => void this.#tunnel(asked, socket, head))
    this.#server.on('request', (asked, answer) => void this.#forward(asked, answer))
    this.#server.on('clientError', (_error, socket) => socket.destroy())
  }

  /** Ends it and every connection through it. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #tunnel(asked: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const to = parseAuthority(asked.url ?? '')
    const judged = to === null ? null : await this.#judge(to)
    if (to === null || judged === null) return refuseTunnel(client, 400, 'CONNECT needs host:port')
    if (!judged.ok) return refuseTunnel(client, judged.status, judged.why)
    const server = this.#keep(connect({ host: judged.address, port: to.port }))
    server.setTimeout(connectMs, () => server.destroy(new Error('no answer')))
    server.once('connect', () => {
      server.setTimeout(idleMs, () => server.destroy())
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      if (head.length > 0) server.write(head)
      server.pipe(client)
      client.pipe(server)
    })
    server.once('error', (error) => {
      if (server.connecting || server.bytesRead === 0)
        refuseTunnel(client, 502, `${show(to)}: ${error.message}`)
      else client.destroy()
    })
    server.once('close', () => client.destroy())
    client.once('close', () => server.destroy())
  }

  async #forward(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const url = URL.parse(asked.url ?? '')
    if (url === null || url.protocol !== 'http:')
      return refuse(answer, 400, 'this is a proxy: ask for http://host/…')
    const to = { host: normalHost(url.hostname), port: url.port === '' ? 80 : Number(url.port) }
    const judged = await this.#judge(to)
    if (!judged.ok) return refuse(answer, judged.status, judged.why)
    const headers = Object.fromEntries(
      Object.entries(asked.headers).filter(([name]) => !hopHeaders.has(name)),
    )
    const onward = request({
      host: judged.address,
      port: to.port,
      method: asked.method,
      path: `${url.pathname}${url.search}`,
      // The name that was judged, whatever the client wrote beside it.
      headers: { ...headers, host: url.host },
      setHost: false,
      agent: false,
      timeout: idleMs,
    })
    onward.once('response', (reply) => {
      const kept = Object.entries(reply.headers).filter(([name]) => !hopHeaders.has(name))
      answer.writeHead(reply.statusCode ?? 502, Object.fromEntries(kept))
      reply.pipe(answer)
      reply.once('error', () => answer.destroy())
    })
    onward.once('timeout', () => onward.destroy(new Error('no answer')))
    onward.once('socket', (socket) => this.#keep(socket))
    onward.once('error', (error) => refuse(answer, 502, `${show(to)}: ${error.message}`))
    answer.once('close', () => onward.destroy())
    asked.pipe(onward)
  }

  /** Resolves once, judges every address, and answers the one to connect to. */
  async #judge(to: Destination): Promise<Judged> {
    const { hosts, operator } = this.#options
    if (!isListed(hosts, to)) {
      return this.#refused(
        to,
        `${show(to)} is not among the hosts that this task may reach: ` +
          `name it with --network, or under network in .nightshift.yaml`,
      )
    }
    const name = isIP(to.host) === 0 ? operator.refusesName(to) : null
    if (name !== null) return this.#refused(to, name)
    let addresses: string[]
    try {
      addresses = (await lookup(to.host, { all: true })).map(({ address }) => address)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer'
      return { ok: false, status: 502, why: `${to.host} cannot be resolved: ${code}` }
    }
    const refusals = addresses.map((address) => operator.refusesAddress(to, address))
    const address = addresses[refusals.indexOf(null)]
    if (address !== undefined) return { ok: true, address }
    return this.#refused(to, refusals[0] ?? `${to.host} has no address`)
  }

  #refused(to: Destination, why: string): Judged {
    if (!this.#told.has(show(to)) && this.#told.size < maxConnections) {
      this.#told.add(show(to))
      this.#options.onRefused(why)
    }
    return { ok: false, status: 403, why }
  }

  #keep<S extends Duplex>(socket: S): S {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // A connection that breaks is everyday life here; its end is dealt with where it is used.
    socket.on('error', () => {})
    return socket
  }
}

type Judged = { ok: true; address: string } | { ok: false; status: 403 | 502; why: string }

function parseAuthority(text: string): Destination | null {
  const [, host = '', digits] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  return host === '' || !(port >= 1 && port <= 65_535) ? null : { host: normalHost(host), port }
}

const phrases = { 400: 'Bad Request', 403: 'Forbidden by nightshift', 502: 'Bad Gateway' } as const
type Refusal = keyof typeof phrases

function refuse(answer: ServerResponse, status: Refusal, why: string): void {
  if (answer.headersSent) {
    answer.destroy()
    return
  }
  answer.writeHead(status, phrases[status], {
    'content-type': 'text/plain; charset=utf-8',
    connection: 'close',
  })
  answer.end(`nightshift: ${why}\n`)
}

function refuseTunnel(client: Duplex, status: Refusal, why: string): void {
  const body = `nightshift: ${why}\n`
  const head = `HTTP/1.1 ${status} ${phrases[status]}\r\ncontent-type: text/plain; charset=utf-8\r\n`
  client.end(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
}
