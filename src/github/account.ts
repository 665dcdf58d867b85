import { createAppAuth } from '@octokit/auth-app'
import type { Octokit } from '@octokit/rest'
import { z } from 'zod'
import { ForgeFailure } from '../ports/forge.ts'

/** As whom GitHub is spoken to. */
export type AccountSettings =
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'app'
      readonly appId: string
      /** PEM. */
      readonly privateKey: string
      /** `null`: found by the repository. */
      readonly installationId: number | null
    }

/** Hands out tokens; those of an app are for one installation, and are made anew before they end. */
export interface Account {
  /** The token for calls about a repository, and for git. Rejects with what GitHub answered. */
  tokenFor(repository: { readonly owner: string; readonly name: string }): Promise<string>
  /** A new token in place of one that was refused before its time; `null`: there is none but that. */
  renewed(repository: { readonly owner: string; readonly name: string }): Promise<string | null>
  /** The login that its changes bear, and the scopes of a classic token. */
  whoami(): Promise<{ login: string; scopes: readonly string[] | null }>
}

const userAnswer = z.object({ login: z.string() })
const appAnswer = z.object({ slug: z.string() })
const installationAnswer = z.object({ id: z.int() })

export function createAccount(settings: AccountSettings, octokit: Octokit): Account {
  switch (settings.kind) {
    case 'token':
      return tokenAccount(settings.token, octokit)
    case 'app':
      return appAccount(settings, octokit)
    default:
      return settings satisfies never
  }
}

function tokenAccount(token: string, octokit: Octokit): Account {
  return {
    tokenFor: () => Promise.resolve(token),
    renewed: () => Promise.resolve(null),
    async whoami() {
      const { data, headers } = await octokit.request('GET /user', { headers: bearer(token) })
      const scopes = headers['x-oauth-scopes']
      return {
        login: userAnswer.parse(data).login,
        // Fine-grained tokens have no such header: what they may do shows when they do it.
        scopes: typeof scopes === 'string' ? scopes.split(/[, ]+/).filter((scope) => scope !== '') : null,
      }
    },
  }
}

function appAccount(settings: Extract<AccountSettings, { kind: 'app' }>, octokit: Octokit): Account {
  const auth = createAppAuth({
    appId: settings.appId,
    privateKey: settings.privateKey,
    // Through our own connection: an installation's token is asked of no other host.
    request: octokit.request,
  })
  const installations = new Map<string, number>()

  /** The app itself: by its key, for ten minutes. */
  async function asApp(): Promise<string> {
    try {
      return (await auth({ type: 'app' })).token
    } catch (cause) {
      const message = 'GITHUB_APP_PRIVATE_KEY cannot be used as a private key'
      throw new ForgeFailure('credentials_refused', message, { cause })
    }
  }

  async function installationOf(owner: string, name: string): Promise<number> {
    if (settings.installationId !== null) return settings.installationId
    const known = installations.get(owner)
    if (known !== undefined) return known
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/installation', {
      owner,
      repo: name,
      headers: bearer(await asApp()),
    })
    const { id } = installationAnswer.parse(data)
    installations.set(owner, id)
    return id
  }

  return {
    async tokenFor({ owner, name }) {
      const installationId = await installationOf(owner, name)
      return (await auth({ type: 'installation', installationId })).token
    },
    async renewed({ owner, name }) {
      // The app may have been installed anew since.
      installations.delete(owner)
      const installationId = await installationOf(owner, name)
      return (await auth({ type: 'installation', installationId, refresh: true })).token
    },
    async whoami() {
      const { data } = await octokit.request('GET /app', { headers: bearer(await asApp()) })
      return { login: `${appAnswer.parse(data).slug}[bot]`, scopes: null }
    },
  }
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}
