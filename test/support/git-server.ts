import { spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gitTestEnvironment } from './repositories.ts'

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
  const running = new Set<ReturnType<typeof spawn>>()

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
    const result = await runBackend(request, Buffer.concat(body))
    if (isWholePush && faults.losePushAnswer) return void request.socket.destroy()
    endWith(response, result.status, result.headers, result.body)
  }

  function runBackend(request: IncomingMessage, body: Buffer): Promise<BackendResult> {
    const [path, query] = splitOnce(request.url ?? '/', '?')
    const child = spawn('git', ['-c', 'http.receivepack=true', 'http-backend'], {
      env: {
        ...gitTestEnvironment,
        GIT_PROJECT_ROOT: options.root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: decodeURIComponent(path),
        QUERY_STRING: query,
        REQUEST_METHOD: request.method ?? 'GET',
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: String(request.headers['content-encoding'] ?? ''),
        GIT_PROTOCOL: faults.oldProtocol ? '' : String(request.headers['git-protocol'] ?? ''),
        REMOTE_ADDR: '127.0.0.1',
        ...(options.auth === undefined ? {} : { REMOTE_USER: options.auth.user }),
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    running.add(child)
    child.stdin.on('error', () => {})
    child.stdin.end(body)
    const out: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', () => {
        running.delete(child)
        resolve(parseBackend(Buffer.concat(out)))
      })
    })
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
      for (const child of running) child.kill('SIGKILL')
      await closed
    },
  }
}

interface BackendResult {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: Buffer
}

// A CGI answer: header lines, an empty line, the body; the status is a header of its own.
function parseBackend(output: Buffer): BackendResult {
  const end = output.indexOf('\r\n\r\n')
  if (end === -1) return { status: 500, headers: {}, body: Buffer.alloc(0) }
  let status = 200
  const headers: Record<string, string> = {}
  for (const line of output.subarray(0, end).toString('latin1').split('\r\n')) {
    const [name, value] = splitOnce(line, ':')
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10)
    else headers[name.toLowerCase()] = value.trim()
  }
  return { status, headers, body: output.subarray(end + 4) }
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

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}
