import type { Clock } from '../ports/clock.ts'
import { ForgeFailure, type Forge } from '../ports/forge.ts'
import type { AccountSettings } from './account.ts'
import { readAddress } from './address.ts'
import { createConnection } from './connection.ts'
import { openRepository } from './repository.ts'

export interface GithubOptions {
  /** Where repositories are, e.g. `https://github.com`. */
  readonly serverUrl: string
  /** Root of the API, e.g. `https://api.github.com`. */
  readonly apiUrl: string
  readonly account: AccountSettings
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>
  /** Milliseconds between two changes. Default 1000, as GitHub asks for. */
  readonly changeEveryMs?: number
  /** Milliseconds that one call may take. Default 30 s. */
  readonly callMs?: number
}

/** GitHub, and a token of it for git. */
export interface Github extends Forge {
  /**
   * The token to push to this repository with, or another one where that was `refused`, if there is another; `null`:
   * it lives elsewhere. Rejects with {@link ForgeFailure}.
   */
  tokenFor(repo: string, refused: boolean): Promise<string | null>
}

/** Opens GitHub, or a GitHub Enterprise server. Nothing is asked of it yet. */
export function createGithub(options: GithubOptions): Github {
  const connection = createConnection({
    ...options,
    changeEveryMs: options.changeEveryMs ?? 1000,
    callMs: options.callMs ?? 30_000,
  })
  return {
    name: 'GitHub',
    repository(repo) {
      const address = readAddress(repo, options.serverUrl)
      return address === null ? null : openRepository(connection, address)
    },
    async identity() {
      try {
        return await connection.plainly(() => connection.account.whoami())
      } catch (error) {
        if (error instanceof ForgeFailure) throw error
        throw new ForgeFailure('unexpected', String(error), { cause: error })
      }
    },
    async tokenFor(repo, refused) {
      const address = readAddress(repo, options.serverUrl)
      return address === null ? null : connection.tokenFor(address, refused)
    },
  }
}
