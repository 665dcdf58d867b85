import type { ForgeRepository } from '../ports/forge.ts'
import { commentsAnswer, read, readReviews } from './answers.ts'
import { known, offered, perPage, unlessRefused, type Calls } from './calls.ts'
import { reviewRefused } from './refusals.ts'

/** What is said about a pull request as a whole. */
export function openReviews(
  names: { readonly owner: string; readonly repo: string },
  reading: Calls,
  changing: Calls,
): Pick<ForgeRepository, 'reviews' | 'postReview' | 'comments' | 'comment'> {
  return {
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
      const found = await offered(
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
  }
}

function eventOf(verdict: 'approve' | 'request_changes' | 'comment') {
  return verdict === 'approve' ? 'APPROVE' : verdict === 'request_changes' ? 'REQUEST_CHANGES' : 'COMMENT'
}
