import type { ForgeRepository } from '../ports/forge.ts'
import type { Address } from './address.ts'
import { read, repositoryAnswer } from './answers.ts'
import { known, type Calls } from './calls.ts'
import { openChecks } from './checks.ts'
import type { Connection } from './connection.ts'
import { openPulls } from './pulls.ts'
import { openReviews } from './reviews.ts'
import { openThreads } from './threads.ts'

/** One repository on GitHub. */
export function openRepository(connection: Connection, address: Address): ForgeRepository {
  const names = { owner: address.owner, repo: address.name }
  const reading: Calls = (work) => connection.call('read', address, work)
  const changing: Calls = (work) => connection.call('change', address, work)

  return {
    slug: address.slug,
    ...openPulls(names, reading, changing),
    ...openChecks(names, reading),
    ...openReviews(names, reading, changing),
    ...openThreads(names, reading, changing),

    async facts() {
      const { data } = await known(
        reading((octokit, headers) => octokit.request('GET /repos/{owner}/{repo}', { ...names, headers })),
      )
      const found = read(repositoryAnswer, data)
      return {
        defaultBranch: found.default_branch,
        archived: found.archived ?? false,
        isAdmin: found.permissions?.admin ?? false,
      }
    },
  }
}
