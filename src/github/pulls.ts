import { ForgeFailure, type ForgeRepository, type Merged } from '../ports/forge.ts'
import { mergeAnswer, read, readPullRequest, readPullRequests } from './answers.ts'
import { known, unlessRefused, type Calls } from './calls.ts'
import { Refusal } from './failures.ts'
import { creationRefused, mergeRefused } from './refusals.ts'

/** Pull requests, from proposed to merged. */
export function openPulls(
  names: { readonly owner: string; readonly repo: string },
  reading: Calls,
  changing: Calls,
): Pick<
  ForgeRepository,
  | 'pullRequestsFrom'
  | 'createPullRequest'
  | 'pullRequest'
  | 'editPullRequest'
  | 'addLabels'
  | 'requestReviewers'
  | 'merge'
  | 'deleteBranch'
> {
  return {
    async pullRequestsFrom(branch) {
      const { data } = await known(
        reading((octokit, headers) =>
          octokit.request('GET /repos/{owner}/{repo}/pulls', {
            ...names,
            headers,
            head: `${names.owner}:${branch}`,
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
        // Who may push and who may merge are two things; what a token may not do can look as if it was not there.
        if (error instanceof ForgeFailure && (error.fault === 'forbidden' || error.fault === 'not_found')) {
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
  }
}
