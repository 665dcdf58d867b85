import { createPublicKey, verify } from 'node:crypto'
import { fill } from './openapi.ts'
import { Refusal, type Handler } from './routes.ts'

/** What is asked with the app's own signature, not with a token of an installation. */
export const asApp: ReadonlySet<string> = new Set([
  'GET /app',
  'GET /repos/{owner}/{repo}/installation',
  'POST /app/installations/{installation_id}/access_tokens',
])

/** An app that is installed on every repository, once its key is known. */
export class StandInApp {
  readonly id = '4711'
  readonly slug = 'night-app'
  installationId = 42
  /** PEM; `null`: there is no such app, or not any more. */
  privateKey: string | null = null
  readonly #tokens: Map<string, string>
  #made = 0

  constructor(tokens: Map<string, string>) {
    this.#tokens = tokens
  }

  /** Takes back every token of its installation before its time. */
  revokeTokens(): void {
    for (const [token, login] of this.#tokens) if (login === `${this.slug}[bot]`) this.#tokens.delete(token)
  }

  makeToken(): string {
    const token = `ghs_${(this.#made += 1)}_of_an_installation`
    this.#tokens.set(token, `${this.slug}[bot]`)
    return token
  }

  /** Who signed this JSON web token, if it is the app, now, for ten minutes at most. */
  known(token: string): string | null {
    const [head = '', claims = '', signature = ''] = token.split('.')
    if (this.privateKey === null || signature === '') return null
    const key = createPublicKey(this.privateKey)
    const signed = Buffer.from(`${head}.${claims}`)
    if (!verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64url'))) return null
    const { iss, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as {
      iss: string | number
      iat: number
      exp: number
    }
    const now = Date.now() / 1000
    return String(iss) === this.id && iat <= now + 60 && exp > now && exp <= now + 600 ? this.slug : null
  }
}

export function addAppRoutes(add: (operation: string, handler: Handler) => void, app: StandInApp): void {
  add('GET /app', () => ({ status: 200, body: fill('integration', { slug: app.slug }) }))
  add('GET /repos/{owner}/{repo}/installation', () => ({
    status: 200,
    body: fill('installation', { id: app.installationId }),
  }))
  add('POST /app/installations/{installation_id}/access_tokens', ({ params }) => {
    if (params['installation_id'] !== String(app.installationId)) throw new Refusal(404, 'Not Found')
    const expires_at = new Date(Date.now() + 3_600_000).toISOString()
    return { status: 201, body: fill('installation-token', { token: app.makeToken(), expires_at }) }
  })
}
