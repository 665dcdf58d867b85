import { readAddress } from './address.ts'

/**
 * Says why merging may not be asked for: without a token there are no pull requests, and what people review there must
 * not be gone around by a plain push.
 */
export function refusedMerge(serverUrl: string, hasToken: boolean): (repo: string) => string | null {
  return (repo) =>
    hasToken || readAddress(repo, serverUrl) === null
      ? null
      : `needs GITHUB_TOKEN: ${serverUrl} merges by pull requests, which cannot be opened without it`
}
