import { ForgeFailure, type ForgeRepository, type Merged } from '../ports/forge.ts'
import type { Address } from './address.ts'
import {
  commentsAnswer,
  mergeAnswer,
  read,
  readChecks,
  readPullRequest,
  readPullRequests,
  readReviews,
  repositoryAnswer,
} from './answers.ts'
import { known, type Calls } from './calls.ts'
import type { Connection } from './connection.ts'
import { Refusal } from './failures.ts'
import { creationRefused, mergeRefused, reviewRefused } from './refusals.ts'
import { openThreads } from './threads.ts'

const perPage = 100

/** One repository on GitHub. */
export function openRepository(connection: Connection, address: Address): ForgeRepository {
  const names = { owner: address.owner, repo: address.name }
  const reading: Calls = (work) => connection.call('read', address, work)
  const changing: Calls = (work) => connection.call('change', address, work)

  return {
    slug: address.slug,
    ...openThreads(names, reading, changing),

    async facts() {
      const { data } = await known(
        reading((octokit, headers) => octokit.request('GET /repos/{owner}/{repo}', { ...names, headers })),
      )
      const found = read(repositoryAnswer, data)
      return { defaultBranch: found.default_branch, archived: found.archived ?? false }
    },

    async pullRequestsFrom(branch) {
      const { data } = await known(
        reading((octokit, headers) =>
          octokit.request('GET /repos/{owner}/{repo}/pulls', {
            ...names,
            headers,
            head: `${address.owner}:${branch}`,
            state: 'all',
            sort: 'created',
            direction: 'desc',
            per_page: 30,
          }),
        ),
      )
      // The filter of older servers is by the name of the branch alone.
      return readPullRequests(data).filter((found) => found.head.branch === branch)
    },

    createPullRequest: (proposal) =>
      unlessRefused(
        async () => {
          const { data } = await changing((octokit, headers) =>
            octokit.request('POST /repos/{owner}/{repo}/pulls', { ...names, headers, ...proposal }),
          )
          return { kind: 'created', pullRequest: readPullRequest(data) }
        },
        [422],
        creationRefused,
      ),

    async pullRequest(number) {
      const { data } = await known(
        reading((octokit, headers) =>
          octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', {
            ...names,
            headers,
            pull_number: number,
          }),
        ),
      )
      return readPullRequest(data)
    },

    async editPullRequest(number, body) {
      await known(
        changing((octokit, headers) =>
          octokit.request('PATCH /repos/{owner}/{repo}/pulls/{pull_number}', {
            ...names,
            headers,
            pull_number: number,
            body,
          }),
        ),
      )
    },

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

    async reviews(number) {
      const found = await known(
        reading((octokit, headers) =>
          octokit.paginate(octokit.rest.pulls.listReviews, {
            ...names,
            headers,
            pull_number: number,
            per_page: perPage,
          }),
        ),
      )
      return readReviews(found)
    },

    postReview: (number, review) =>
      unlessRefused(
        async () => {
          await changing((octokit, headers) =>
            octokit.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews', {
              ...names,
              headers,
              pull_number: number,
              commit_id: review.sha,
              event: eventOf(review.verdict),
              body: review.body,
              comments: review.comments.map((comment) => ({ ...comment, side: 'RIGHT' })),
            }),
          )
          return { kind: 'posted' }
        },
        [422],
        reviewRefused,
      ),

    async comments(number) {
      const found = await known(
        reading((octokit, headers) =>
          octokit.paginate(octokit.rest.issues.listComments, {
            ...names,
            headers,
            issue_number: number,
            per_page: perPage,
          }),
        ),
      )
      return read(commentsAnswer, found).map((one) => ({
        id: one.id,
        author: one.user?.login ?? '',
        body: one.body ?? '',
      }))
    },

    async comment(number, body) {
      await known(
        changing((octokit, headers) =>
          octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
            ...names,
            headers,
            issue_number: number,
            body,
          }),
        ),
      )
    },

    async merge(number, merge) {
      try {
        return await unlessRefused<Merged>(
          async () => {
            const { data } = await changing((octokit, headers) =>
              octokit.request('PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge', {
                ...names,
                headers,
                pull_number: number,
                sha: merge.sha,
                merge_method: merge.method,
              }),
            )
            const found = read(mergeAnswer, data)
            return found.merged
              ? { kind: 'merged', sha: found.sha }
              : { kind: 'refused', message: 'GitHub did not merge it, and did not say why' }
          },
          [405, 409, 422],
          mergeRefused,
        )
      } catch (error) {
        // Who may push and who may merge are two things.
        if (error instanceof ForgeFailure && error.fault === 'forbidden') {
          return { kind: 'refused', message: error.message }
        }
        throw error
      }
    },

    async deleteBranch(branch) {
      try {
        await changing((octokit, headers) =>
          octokit.request('DELETE /repos/{owner}/{repo}/git/refs/{ref}', {
            ...names,
            headers,
            ref: `heads/${branch}`,
          }),
        )
        return true
      } catch (error) {
        if (error instanceof Refusal) return error.says(/^Reference does not exist/i)
        if (error instanceof ForgeFailure && error.fault === 'not_found') return true
        if (error instanceof ForgeFailure && error.fault === 'forbidden') return false
        throw error
      }
    },

    async addLabels(number, labels) {
      await known(
        changing((octokit, headers) =>
          octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', {
            ...names,
            headers,
            issue_number: number,
            labels: [...labels],
          }),
        ),
      )
    },

    async requestReviewers(number, logins) {
      await known(
        changing((octokit, headers) =>
          octokit.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers', {
            ...names,
            headers,
            pull_number: number,
            reviewers: [...logins],
          }),
        ),
      )
    },
  }
}

/** A refusal with one of these statuses becomes a value. */
async function unlessRefused<T>(
  call: () => Promise<T>,
  statuses: readonly number[],
  meaning: (refusal: Refusal) => T,
): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof Refusal && statuses.includes(error.status)) return meaning(error)
    return known(Promise.reject(error))
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

function eventOf(verdict: 'approve' | 'request_changes' | 'comment') {
  return verdict === 'approve' ? 'APPROVE' : verdict === 'request_changes' ? 'REQUEST_CHANGES' : 'COMMENT'
}
