import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { SessionStore, TokenRole, TokenStore } from '../ports/token-store.ts'
import type { Viewer } from '../web/viewer.ts'
import { ProblemError } from './problem.ts'
import { readCookie, sessionCookie } from './session-cookie.ts'

/** Decides who may call. */
export interface Access {
  /** Throws {@link ProblemError} where a web page of another site may be behind the call: 400, 403 or 415. */
  checkOrigin(request: Request): void
  /**
   * Throws {@link ProblemError} 401 unless the caller has a token, or none is needed; 403 where the token only reads
   * and the call writes. A browser's cookie counts for reading alone: what a page writes goes through its own forms.
   */
  checkToken(request: Request): Promise<void>
  /** Who looks at the dashboard, and the header `Set-Cookie` to answer with; `null`: nobody that is known. */
  viewer(
    request: Request,
    options: { rotate: boolean },
  ): Promise<{ viewer: Viewer; setCookie: string | null } | null>
  /** Throws {@link ProblemError} 403 unless a form comes from a page of this server that this viewer got. */
  checkForm(request: Request, viewer: Viewer, key: unknown): void
  /** Exchanges a token for the header `Set-Cookie`; `null`: the token is not known. */
  signIn(request: Request, token: string): Promise<string | null>
  /** Ends the session; answers the header that takes the cookie away. */
  signOut(request: Request): Promise<string>
}

export interface AccessOptions {
  /** Name or address that the server is bound to. */
  readonly host: string
  /** The port it listens on; asked at every call, since port 0 is settled late. */
  readonly port: () => number
  readonly tokens: Pick<TokenStore, 'verify' | 'any'>
  readonly sessions: SessionStore
  /** A token that counts besides the stored ones; `null`: none. */
  readonly environmentToken: string | null
}

export function createAccess(options: AccessOptions): Access {
  const { tokens, sessions, environmentToken } = options
  const onLoopback = isLoopback(options.host)
  // Of whoever is let in without a token: pages of other origins cannot read it.
  const openFormKey = randomBytes(32).toString('base64url')

  const isOwn = (authority: string, request: Request) =>
    onLoopback ? isOwnHost(authority, options.port()) : authority === request.headers.get('host')
  const isOpen = async () => onLoopback && environmentToken === null && !(await tokens.any())
  const roleOf = async (token: string): Promise<TokenRole | null> =>
    environmentToken !== null && isEqual(token, environmentToken) ? 'operator' : tokens.verify(token)
  const bearerRole = async (header: string): Promise<TokenRole> => {
    const [, token] = /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(header) ?? []
    if (token === undefined) throw unauthorized('must be written Authorization: Bearer TOKEN', true)
    const role = await roleOf(token)
    // A wrong token is refused also where none is needed: its owner believes that it protects.
    if (role === null) throw unauthorized('the token is not known here, or was revoked', true)
    return role
  }
  const sessionOf = async (request: Request, rotate: boolean) => {
    const secret = readCookie(request, options.port())
    return secret === null ? null : sessions.use(secret, { rotate, environmentToken })
  }

  return {
    checkOrigin(request) {
      const port = options.port()
      const host = request.headers.get('host') ?? ''
      if (onLoopback && !isOwnHost(host, port)) {
        const detail = `call it by http://127.0.0.1:${port} or another loopback name, not as ${quote(host)}`
        throw new ProblemError('bad-host', detail)
      }
      checkPage(request, (authority) => isOwn(authority, request))
      if (isWrite(request.method)) checkContentType(request)
    },

    async checkToken(request) {
      const header = request.headers.get('authorization')
      if (header === null) {
        if (await isOpen()) return
        if (!isWrite(request.method) && (await sessionOf(request, false)) !== null) return
        throw unauthorized('send Authorization: Bearer TOKEN; nightshift token create makes one', false)
      }
      const role = await bearerRole(header)
      if (isWrite(request.method)) refuseReader(role)
    },

    async viewer(request, { rotate }) {
      const header = request.headers.get('authorization')
      if (header !== null) {
        const role = await bearerRole(header)
        return { viewer: { role, formKey: openFormKey, signedIn: false }, setCookie: null }
      }
      const session = await sessionOf(request, rotate)
      if (session !== null) {
        const { role, formKey, nextSecret } = session
        const setCookie = nextSecret === null ? null : sessionCookie(request, options.port(), nextSecret)
        return { viewer: { role, formKey, signedIn: true }, setCookie }
      }
      if (!(await isOpen())) return null
      return { viewer: { role: 'operator', formKey: openFormKey, signedIn: false }, setCookie: null }
    },

    checkForm(request, viewer, key) {
      // Every browser that keeps to SameSite sends one of the two with a post.
      const fromHere =
        request.headers.get('sec-fetch-site') === 'same-origin' ||
        isOwn(originAuthority(request.headers.get('origin')), request)
      if (!fromHere || typeof key !== 'string' || !isEqual(key, viewer.formKey)) {
        throw new ProblemError('cross-site', 'this form is out of date: load the page again, and repeat it')
      }
      refuseReader(viewer.role)
    },

    async signIn(request, token) {
      if ((await roleOf(token)) === null) return null
      return sessionCookie(request, options.port(), await sessions.open(token))
    },

    async signOut(request) {
      const secret = readCookie(request, options.port())
      if (secret !== null) await sessions.close(secret)
      return sessionCookie(request, options.port(), null)
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

function originAuthority(origin: string | null): string {
  return /^https?:\/\/([^/]+)$/i.exec(origin ?? '')?.[1] ?? ''
}

function checkPage(request: Request, isOwn: (authority: string) => boolean): void {
  const origin = request.headers.get('origin')
  if (origin !== null && !isOwn(originAuthority(origin))) {
    throw new ProblemError('cross-site', `pages of ${quote(origin)} may not call this API`)
  }
  const site = request.headers.get('sec-fetch-site')
  if (isWrite(request.method) && site !== null && site !== 'same-origin' && site !== 'none') {
    throw new ProblemError('cross-site', 'the browser says that another site makes this call')
  }
}

// Pages of other sites can post forms and plain text without being asked, but not JSON. The dashboard's own forms carry
// a key besides.
function checkContentType(request: Request): void {
  const type = request.headers.get('content-type')
  if (!new URL(request.url).pathname.startsWith('/api/')) {
    if (type !== null && /^application\/x-www-form-urlencoded *(?:;|$)/i.test(type)) return
  }
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

function refuseReader(role: TokenRole): void {
  switch (role) {
    case 'operator':
      return
    case 'reader':
      throw new ProblemError('read-only', 'this token may look at everything and change nothing')
    default:
      role satisfies never
  }
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
