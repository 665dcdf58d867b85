import { ForgeFailure, type ForgeRepository } from '../ports/forge.ts'
import { readChecks } from './answers.ts'
import { offered, perPage, unlessRefused, type Calls } from './calls.ts'

/** What the forge's own checks say of a commit: check runs, and the older statuses. */
export function openChecks(
  names: { readonly owner: string; readonly repo: string },
  reading: Calls,
): Pick<ForgeRepository, 'checks'> {
  return {
    async checks(sha) {
      const about = { ...names, ref: sha, per_page: perPage }
      const runs = await offered(
        seen(
          reading((octokit, headers) =>
            allPages((page) =>
              octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
                ...about,
                headers,
                page,
              }),
            ),
          ),
        ),
      )
      const statuses = await offered(
        seen(
          reading((octokit, headers) =>
            allPages((page) =>
              octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/status', { ...about, headers, page }),
            ),
          ),
        ),
      )
      return readChecks(runs, statuses)
    },
  }
}

/** A commit that GitHub does not see yet, right after a push, it will see soon. */
function seen(asked: Promise<readonly unknown[]>): Promise<readonly unknown[]> {
  return unlessRefused(
    () => asked,
    [422],
    ({ message }) => {
      throw new ForgeFailure('unreachable', `GitHub does not see the commit yet: ${message}`)
    },
  )
}

const maxPages = 10

/** The pages of a list that is wrapped in an object with its length. */
async function allPages(
  ask: (page: number) => Promise<{ data: { total_count?: number } }>,
): Promise<readonly unknown[]> {
  const pages: unknown[] = []
  for (let page = 1; page <= maxPages; page += 1) {
    const { data } = await ask(page)
    pages.push(data)
    if (page * perPage >= (data.total_count ?? 0)) break
  }
  return pages
}
