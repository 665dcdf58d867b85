import { Octokit } from '@octokit/rest'
import pLimit from 'p-limit'
import { ForgeFailure } from '../ports/forge.ts'
import type { Clock } from '../ports/clock.ts'
import { createAccount, bearer, type Account, type AccountSettings } from './account.ts'
import type { Address } from './address.ts'
import { failureOf, Refusal } from './failures.ts'

export interface ConnectionOptions {
  /** Root of the API, e.g. `https://api.github.com` or `https://github.example.org/api/v3`. */
  readonly apiUrl: string
  readonly account: AccountSettings
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>
  /** Milliseconds between two changes: GitHub asks for one second at least. */
  readonly changeEveryMs: number
  /** Milliseconds that one call may take. */
  readonly callMs: number
}

/** The one way to GitHub's API. */
export interface Connection {
  readonly account: Account
  /**
   * One call about a repository. Changes go one at a time, some way apart. While GitHub has asked for quiet, nothing
   * is sent. Rejects with {@link ForgeFailure} or a refusal.
   */
  call<T>(
    kind: 'read' | 'change',
    address: Address,
    work: (octokit: Octokit, headers: { authorization: string }) => Promise<T>,
  ): Promise<T>
  /** The token for a repository, or a new one where that was refused; `null`: there is no other. Rejects as {@link call}. */
  tokenFor(address: Address, refused: boolean): Promise<string | null>
  /** As {@link call}, about no repository. */
  plainly<T>(work: () => Promise<T>): Promise<T>
}

const maxRedirects = 3
const redirecting: ReadonlySet<number> = new Set([301, 302, 307, 308])

export function createConnection(options: ConnectionOptions): Connection {
  const { clock } = options
  const octokit = new Octokit({
    baseUrl: options.apiUrl.replace(/\/+$/, ''),
    userAgent: 'nightshift',
    request: { fetch: guardedFetch(new URL(options.apiUrl).origin, options.callMs) },
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  })
  const account = createAccount(options.account, octokit)
  const changes = pLimit(1)
  let lastChangeMs = Number.NEGATIVE_INFINITY
  let quietUntilMs = Number.NEGATIVE_INFINITY
  let hits = 0

  async function plainly<T>(work: () => Promise<T>): Promise<T> {
    const leftMs = quietUntilMs - clock.monotonicMs()
    if (leftMs > 0) {
      throw new ForgeFailure('rate_limited', 'GitHub has asked for fewer calls', { retryAfterMs: leftMs })
    }
    try {
      return await work()
    } catch (error) {
      const failure = failureOf(error, hits)
      if (failure instanceof ForgeFailure && failure.retryAfterMs !== null) {
        hits += 1
        quietUntilMs = Math.max(quietUntilMs, clock.monotonicMs() + failure.retryAfterMs)
      }
      throw failure
    }
  }

  function change<T>(work: () => Promise<T>): Promise<T> {
    return changes(async () => {
      const waitMs = lastChangeMs + options.changeEveryMs - clock.monotonicMs()
      if (waitMs > 0) await clock.sleep(waitMs)
      try {
        return await plainly(work)
      } finally {
        lastChangeMs = clock.monotonicMs()
      }
    })
  }

  /** One that is at hand is not kept back while GitHub wants quiet: git is not what it counts. */
  async function tokenFor(address: Address, refused: boolean): Promise<string | null> {
    try {
      return await (refused ? account.renewed(address) : account.tokenFor(address))
    } catch (error) {
      const failure = failureOf(error, hits)
      throw failure instanceof Refusal
        ? new ForgeFailure('unexpected', failure.message, { cause: error })
        : failure
    }
  }

  return {
    account,
    tokenFor,
    plainly,
    async call(kind, address, work) {
      const once = (token: string) => {
        const ask = async () => {
          const answer = await work(octokit, bearer(token))
          hits = 0
          return answer
        }
        return kind === 'change' ? change(ask) : plainly(ask)
      }
      try {
        return await once(await plainly(() => account.tokenFor(address)))
      } catch (error) {
        if (!(error instanceof ForgeFailure) || error.fault !== 'credentials_refused') throw error
        // An app's token can end before its time. Nothing was done with it: the call may be made again.
        const token = await plainly(() => account.renewed(address))
        if (token === null) throw error
        return once(token)
      }
    },
  }
}

/**
 * Sends to one origin alone, whatever a link or a redirect says: the token is for nobody else. Redirects within it (a
 * repository that was renamed) are followed with the same request, as GitHub asks for: nothing was done with the first.
 */
function guardedFetch(origin: string, callMs: number): typeof fetch {
  return async (input, init) => {
    let url = input instanceof Request ? input.url : String(input)
    for (let redirects = 0; ; redirects += 1) {
      if (new URL(url).origin !== origin) {
        throw new TypeError(`a call was led to ${new URL(url).host}, and was not sent there`)
      }
      const response = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(callMs) })
      const { status } = response
      const location = response.headers.get('location')
      if (!redirecting.has(status) || location === null) return response
      if (redirects === maxRedirects) throw new TypeError('a call was redirected too often')
      await response.body?.cancel()
      url = new URL(location, url).href
    }
  }
}
