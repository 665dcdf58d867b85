import type { ForgeRepository } from '../ports/forge.ts'
import { readChecks } from './answers.ts'
import { known, perPage, type Calls } from './calls.ts'

/** What the forge's own checks say of a commit: check runs, and the older statuses. */
export function openChecks(
  names: { readonly owner: string; readonly repo: string },
  reading: Calls,
): Pick<ForgeRepository, 'checks'> {
  return {
    async checks(sha) {
      const about = { ...names, ref: sha, per_page: perPage }
      const runs = await known(
        reading((octokit, headers) =>
          allPages((page) =>
            octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
              ...about,
              headers,
              page,
            }),
          ),
        ),
      )
      const statuses = await known(
        reading((octokit, headers) =>
          allPages((page) =>
            octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/status', { ...about, headers, page }),
          ),
        ),
      )
      return readChecks(runs, statuses)
    },
  }
}

const maxPages = 10

/** The pages of a list that is wrapped in an object with its length. */
async function allPages(
  ask: (page: number) => Promise<{ data: { total_count: number } }>,
): Promise<readonly unknown[]> {
  const pages: unknown[] = []
  for (let page = 1; page <= maxPages; page += 1) {
    const { data } = await ask(page)
    pages.push(data)
    if (page * perPage >= data.total_count) break
  }
  return pages
}
