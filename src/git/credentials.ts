import { readFile, stat } from 'node:fs/promises'
import { ForgeFailure } from '../ports/forge.ts'
import { RemoteFailure } from '../ports/publisher.ts'
import type { Log } from '../ports/log.ts'

export interface Credential {
  readonly username: string
  readonly password: string
}

/**
 * The credentials for an http or https repository; `null`: none are known. Asked before every connection, and once
 * more where the server refused them: a token can end before its time.
 */
export type CredentialsFor = (url: string, refused?: boolean) => Promise<Credential | null>

export interface CredentialOptions {
  /** A file in git's store format: lines like `https://user:password@host`, percent-encoded. Read at every use. */
  readonly file: string | null
  /** A token for one server, e.g. `https://github.com`; asked for by repository where it is not always the same. */
  readonly token: {
    readonly serverUrl: string
    readonly token: string | ((repo: string, refused: boolean) => Promise<string | null>)
  } | null
  readonly log: Log
}

/**
 * Looks in the file first, then takes the token. Scheme, host and port must be equal; where a line has a path, the
 * repository must be that or lie below it. The first line that fits counts. A file that cannot be read is told to the
 * log. Rejects with {@link RemoteFailure} where a token cannot be had just now.
 */
export function createCredentials(options: CredentialOptions): CredentialsFor {
  let told = ''
  function tell(message: string, facts: Record<string, unknown>): void {
    const said = `${message} ${JSON.stringify(facts)}`
    if (said !== told) options.log.warn(message, facts)
    told = said
  }

  async function lines(): Promise<string[]> {
    if (options.file === null) return []
    try {
      const { mode } = await stat(options.file)
      if ((mode & 0o077) !== 0) {
        tell('others can read the file with git credentials: type chmod 600', { file: options.file })
      }
      return (await readFile(options.file, 'utf8')).split(/\r?\n/)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error)
      tell('the file with git credentials cannot be read', { file: options.file, code })
      return []
    }
  }

  return async (repo, refused = false) => {
    const wanted = parse(repo)
    if (wanted === null) return null
    for (const line of await lines()) {
      const found = parse(line.trim())
      if (found === null || (found.username === '' && found.password === '')) continue
      if (!fits(found, wanted)) continue
      try {
        return {
          username: decodeURIComponent(found.username),
          password: decodeURIComponent(found.password),
        }
      } catch {
        tell('a line of the file with git credentials has a bad % escape', { host: found.host })
      }
    }
    const { token } = options
    const server = token === null ? null : parse(token.serverUrl)
    if (token === null || server === null || !mayHaveToken(server) || !fits(server, wanted)) return null
    try {
      const password = typeof token.token === 'string' ? token.token : await token.token(repo, refused)
      // GitHub takes any name beside a token, and documents this one.
      return password === null ? null : { username: 'x-access-token', password }
    } catch (error) {
      if (
        error instanceof ForgeFailure &&
        (error.fault === 'rate_limited' || error.fault === 'unreachable')
      ) {
        const message = `no token for ${server.host} could be had: ${error.message}`
        throw new RemoteFailure('unreachable', { repo, message, cause: error })
      }
      tell('no token could be had', { host: server.host, error: String(error) })
      return null
    }
  }
}

function parse(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:') ? url : null
}

// Over http anyone on the way could read it; to this machine itself there is no way.
function mayHaveToken({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
}

function fits(held: URL, wanted: URL): boolean {
  // A URL's host leaves out the scheme's default port.
  if (held.protocol !== wanted.protocol || held.host !== wanted.host) return false
  const path = held.pathname.replace(/\/+$/, '')
  return path === '' || plainPath(wanted) === plainPath(held) || wanted.pathname.startsWith(`${path}/`)
}

function plainPath(url: URL): string {
  return url.pathname.replace(/\/+$/, '').replace(/\.git$/, '')
}
