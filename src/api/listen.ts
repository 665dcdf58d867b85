import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'

/** The address cannot be listened on. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly host: string
  readonly port: number
  /** Of the operating system: EADDRINUSE, EACCES, EADDRNOTAVAIL, … */
  readonly code: string

  constructor(host: string, port: number, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    super(`cannot listen on ${host} port ${port}: ${code}`, { cause })
    this.host = host
    this.port = port
    this.code = code
  }
}

export interface Listening {
  readonly port: number
  /** Where a client on this machine reaches it. */
  readonly url: string
  /** Takes no more connections; what is open goes on. */
  stop(): void
  /** Waits up to `graceMs` for open answers, then cuts them off. */
  close(graceMs: number): Promise<void>
}

const tidyMs = 20

/** Binds an app; port 0 takes a free one. Throws {@link ListenError}. */
export async function listen(options: {
  /** A Hono app. */
  app: { fetch: (request: Request) => Response | Promise<Response> }
  host: string
  port: number
  onError: (error: unknown) => void
}): Promise<Listening> {
  const { host, port } = options
  const server = createAdaptorServer({ fetch: options.app.fetch, overrideGlobalObjects: false })
  if (!('closeAllConnections' in server)) throw new TypeError('expected a server for HTTP/1.1')
  await bind(server, host, port)
  server.on('error', options.onError)
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  let stopped: Promise<void> | null = null
  const stop = () => {
    stopped ??= new Promise((resolve) => server.close(() => resolve()))
    return stopped
  }
  return {
    port: bound,
    url: `http://${urlHost(host)}:${bound}`,
    stop: () => void stop(),
    async close(graceMs) {
      const cut = setTimeout(() => server.closeAllConnections(), graceMs)
      // Connections whose answer ends only now become idle, and would stay open for the next request.
      const tidy = setInterval(() => server.closeIdleConnections(), tidyMs)
      await stop()
      clearTimeout(cut)
      clearInterval(tidy)
    },
  }
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(new ListenError(host, port, error))
    server.once('error', fail)
    server.listen(port, host.replace(/^\[(.*)\]$/, '$1'), () => {
      server.off('error', fail)
      resolve()
    })
  })
}

function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::' || host === '[::]') return '[::1]'
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}
