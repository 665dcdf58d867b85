import { spawn } from 'node:child_process'
import type { IncomingHttpHeaders } from 'node:http'
import { gitTestEnvironment } from './repositories.ts'

/** A request of git's, as it came by HTTP. */
export interface BackendCall {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Who it is, once that is known. */
  readonly user: string | null
  /** Speak the old protocol, version 0, whatever the client can. */
  readonly oldProtocol?: boolean
}

export interface BackendAnswer {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: Buffer
}

/** `git http-backend` over the bare repositories of a folder, for reading and writing. */
export interface GitBackend {
  run(call: BackendCall): Promise<BackendAnswer>
  /** Ends its processes. */
  close(): void
}

export function createGitBackend(root: string): GitBackend {
  const running = new Set<ReturnType<typeof spawn>>()
  return {
    run(call) {
      const [path, query] = splitOnce(call.url, '?')
      const child = spawn('git', ['-c', 'http.receivepack=true', 'http-backend'], {
        env: {
          ...gitTestEnvironment,
          GIT_PROJECT_ROOT: root,
          GIT_HTTP_EXPORT_ALL: '1',
          PATH_INFO: decodeURIComponent(path),
          QUERY_STRING: query,
          REQUEST_METHOD: call.method,
          CONTENT_TYPE: call.headers['content-type'] ?? '',
          HTTP_CONTENT_ENCODING: String(call.headers['content-encoding'] ?? ''),
          GIT_PROTOCOL: call.oldProtocol === true ? '' : String(call.headers['git-protocol'] ?? ''),
          REMOTE_ADDR: '127.0.0.1',
          ...(call.user === null ? {} : { REMOTE_USER: call.user }),
        },
        stdio: ['pipe', 'pipe', 'ignore'],
      })
      running.add(child)
      child.stdin.on('error', () => {})
      child.stdin.end(call.body)
      const out: Buffer[] = []
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
      return new Promise((resolve, reject) => {
        child.once('error', reject)
        child.once('close', () => {
          running.delete(child)
          resolve(parse(Buffer.concat(out)))
        })
      })
    },
    close() {
      for (const child of running) child.kill('SIGKILL')
    },
  }
}

// A CGI answer: header lines, an empty line, the body; the status is a header of its own.
function parse(output: Buffer): BackendAnswer {
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

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}
