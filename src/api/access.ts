import { createHash, timingSafeEqual } from 'node:crypto'
import type { TokenStore } from '../ports/token-store.ts'
import { ProblemError } from './problem.ts'

/** Decides who may call. */
export interface Access {
  /** Throws {@link ProblemError} where a web page may be behind the call: 400, 403 or 415. */
  checkOrigin(request: Request): void
  /** Throws {@link ProblemError} 401 unless the caller has a token, or none is needed. */
  checkToken(request: Request): Promise<void>
}

export interface AccessOptions {
  /** Name or address that the server is bound to. */
  readonly host: string
  /** The port it listens on; asked at every call, since port 0 is settled late. */
  readonly port: () => number
  readonly tokens: Pick<TokenStore, 'verify' | 'any'>
  /** A token that counts besides the stored ones; `null`: none. */
  readonly environmentToken: string | null
}

export function createAccess(options: AccessOptions): Access {
  const onLoopback = isLoopback(options.host)
  return {
    checkOrigin(request) {
      const port = options.port()
      const host = request.headers.get('host') ?? ''
      if (onLoopback && !isOwnHost(host, port)) {
        const detail = `call it by http://127.0.0.1:${port} or another loopback name, not as ${quote(host)}`
        throw new ProblemError('bad-host', detail)
      }
      checkPage(request, onLoopback ? (authority) => isOwnHost(authority, port) : (own) => own === host)
      if (isWrite(request.method)) checkContentType(request)
    },
    async checkToken(request) {
      const header = request.headers.get('authorization')
      if (header === null) {
        const open = onLoopback && options.environmentToken === null && !(await options.tokens.any())
        if (open) return
        throw unauthorized('send Authorization: Bearer TOKEN; nightshift token create makes one', false)
      }
      const [, token] = /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(header) ?? []
      if (token === undefined) throw unauthorized('must be written Authorization: Bearer TOKEN', true)
      if (options.environmentToken !== null && isEqual(token, options.environmentToken)) return
      if (await options.tokens.verify(token)) return
      // A wrong token is refused also where none is needed: its owner believes that it protects.
      throw unauthorized('the token is not known here, or was revoked', true)
    },
  }
}

/** Whether a server bound to this host may start: off loopback only with a token to check. */
export async function mayBind(options: Pick<AccessOptions, 'host' | 'tokens' | 'environmentToken'>) {
  return isLoopback(options.host) || options.environmentToken !== null || (await options.tokens.any())
}

function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name)
}

/** Whether `host[:port]` is this server, under a name that only this machine gives to itself. */
function isOwnHost(authority: string, port: number): boolean {
  const [, name, digits] = /^(\[[0-9a-f:]+\]|[^:]+)(?::(\d{1,5}))?$/i.exec(authority) ?? []
  return name !== undefined && isLoopback(name) && Number(digits ?? 80) === port
}

function checkPage(request: Request, isOwn: (authority: string) => boolean): void {
  const origin = request.headers.get('origin')
  if (origin !== null && !isOwn(/^https?:\/\/([^/]+)$/i.exec(origin)?.[1] ?? '')) {
    throw new ProblemError('cross-site', `pages of ${quote(origin)} may not call this API`)
  }
  const site = request.headers.get('sec-fetch-site')
  if (isWrite(request.method) && site !== null && site !== 'same-origin' && site !== 'none') {
    throw new ProblemError('cross-site', 'the browser says that another site makes this call')
  }
}

// Pages of other sites can post forms and plain text without being asked, but not JSON.
function checkContentType(request: Request): void {
  const type = request.headers.get('content-type')
  if (type === null && !hasBody(request)) return
  if (type !== null && /^application\/json *(?:; *charset="?utf-8"? *)?$/i.test(type)) return
  throw new ProblemError('unsupported-media-type', 'send the header Content-Type: application/json')
}

// Over a connection, a body is announced by one of the two.
function hasBody(request: Request): boolean {
  if (request.headers.has('transfer-encoding')) return true
  return (request.headers.get('content-length') ?? '0') !== '0'
}

function isWrite(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS'
}

function unauthorized(detail: string, presented: boolean): ProblemError {
  const challenge = presented
    ? 'Bearer realm="nightshift", error="invalid_token"'
    : 'Bearer realm="nightshift"'
  return new ProblemError('unauthorized', detail, { headers: { 'www-authenticate': challenge } })
}

// Hashed first: of two hashes, the comparison tells neither length nor content.
function isEqual(a: string, b: string): boolean {
  return timingSafeEqual(sha256(a), sha256(b))
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 100))
}
