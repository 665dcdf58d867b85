import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGitBackend } from './git-backend.ts'

/** What goes wrong, and can be changed at any time. All off at the start. */
export interface GitServerFaults {
  /** Answer every request with this status and a page for people, e.g. 500. */
  status: number | null
  /** Take requests and never answer. */
  hang: boolean
  /** Milliseconds before a request is looked at. */
  delayMs: number
  /** Take a push to its end, then cut the connection: the push holds, but its answer is lost. */
  losePushAnswer: boolean
  /** Cut the connection of a push before git has seen any of it. */
  cutPush: boolean
  /** Answer every request with a redirect to this address, path and query added. */
  redirectTo: string | null
  /** Speak the old protocol, version 0, whatever the client can. */
  oldProtocol: boolean
  /** Runs when a push has been received in whole and before git sees it; the push waits for it. */
  beforePush: (() => Promise<void> | void) | null
}

export interface RecordedRequest {
  readonly method: string
  readonly url: string
  readonly authorization: string | null
  readonly proxyAuthorization: string | null
}

export interface GitServer {
  /** `http://127.0.0.1:PORT`; a repository `<root>/one.git` is at `<url>/one.git`. */
  readonly url: string
  readonly port: number
  readonly faults: GitServerFaults
  /** Every request so far, in order. */
  readonly requests: RecordedRequest[]
  /** Ends the server, its connections and its git processes. */
  close(): Promise<void>
}

export interface GitServerOptions {
  /** The folder whose bare repositories are served, for reading and writing. */
  readonly root: string
  /** Basic auth that every request needs; without it, everyone may do everything. */
  readonly auth?: { readonly user: string; readonly password: string }
  /** Set to get the same port again, as after a restart. */
  readonly port?: number
}

/** Serves real repositories over smart HTTP: git http-backend behind node:http, on the loopback. */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const faults: GitServerFaults = {
    status: null,
    hang: false,
    delayMs: 0,
    losePushAnswer: false,
    cutPush: false,
    redirectTo: null,
    oldProtocol: false,
    beforePush: null,
  }
  const requests: RecordedRequest[] = []
  const backend = createGitBackend(options.root)

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/'
    const authorization = request.headers.authorization ?? null
    const proxyAuthorization = request.headers['proxy-authorization'] ?? null
    requests.push({ method: request.method ?? 'GET', url, authorization, proxyAuthorization })
    if (faults.delayMs > 0) await new Promise((wake) => setTimeout(wake, faults.delayMs))
    if (faults.hang) return
    if (faults.redirectTo !== null) return endWith(response, 302, { location: `${faults.redirectTo}${url}` })
    if (faults.status !== null)
      return endWith(response, faults.status, askFor(faults.status), Buffer.from('<html>A page.</html>'))
    if (!mayEnter(authorization, options.auth)) {
      return endWith(response, 401, askFor(401))
    }
    const body: Buffer[] = []
    for await (const chunk of request) body.push(chunk as Buffer)
    const isPush = request.method === 'POST' && url.endsWith('/git-receive-pack')
    // A push begins with an empty request that only asks whether the credentials are taken.
    const isWholePush = isPush && Buffer.concat(body).length > 4
    if (isWholePush && faults.cutPush) return void request.socket.destroy()
    if (isWholePush) await faults.beforePush?.()
    const result = await backend.run({
      method: request.method ?? 'GET',
      url,
      headers: request.headers,
      body: Buffer.concat(body),
      user: options.auth?.user ?? null,
      oldProtocol: faults.oldProtocol,
    })
    if (isWholePush && faults.losePushAnswer) return void request.socket.destroy()
    endWith(response, result.status, result.headers, result.body)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => request.socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    faults,
    requests,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      backend.close()
      await closed
    },
  }
}

function mayEnter(header: string | null, auth: GitServerOptions['auth']): boolean {
  if (auth === undefined) return true
  return header === `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}`
}

// Without these headers a client does not know how to say who it is, and does not try.
function askFor(status: number): Record<string, string> {
  const asking: Record<number, string> = { 401: 'www-authenticate', 407: 'proxy-authenticate' }
  const name = asking[status]
  return name === undefined ? {} : { [name]: 'Basic realm="git"' }
}

function endWith(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body: Buffer = Buffer.alloc(0),
): void {
  response.writeHead(status, { ...headers, 'content-length': body.length })
  response.end(body)
}
