const maxAgeSeconds = 30 * 86_400

/** The value of the session's cookie; `null`: the browser sent none. */
export function readCookie(request: Request, port: number): string | null {
  const name = cookieName(port)
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const [key, value] = pair.trim().split('=', 2)
    if (key === name && value !== undefined && /^[\w-]{20,100}$/.test(value)) return value
  }
  return null
}

/** The header `Set-Cookie`; `null`: takes the cookie away. */
export function sessionCookie(request: Request, port: number, secret: string | null): string {
  const overTls =
    new URL(request.url).protocol === 'https:' || request.headers.get('x-forwarded-proto') === 'https'
  const parts = [
    `${cookieName(port)}=${secret ?? ''}`,
    'Path=/',
    `Max-Age=${secret === null ? 0 : maxAgeSeconds}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(overTls ? ['Secure'] : []),
  ]
  return parts.join('; ')
}

// Cookies do not know ports: two servers on one machine would sign each other out.
function cookieName(port: number): string {
  return `nightshift_session_${port}`
}
