import { z } from 'zod'
import { ForgeFailure, type ForgeFault, type ForgeRepository } from '../ports/forge.ts'
import { read, readLineComments } from './answers.ts'
import { known, offered, perPage, type Calls } from './calls.ts'

/** What review comments began, by REST; only that a thread is resolved is told by GraphQL alone. */
export function openThreads(
  names: { readonly owner: string; readonly repo: string },
  reading: Calls,
  changing: Calls,
): Pick<ForgeRepository, 'lineComments' | 'answer' | 'resolveThreads'> {
  return {
    async lineComments(number) {
      const found = await offered(
        reading((octokit, headers) =>
          octokit.paginate(octokit.rest.pulls.listReviewComments, {
            ...names,
            headers,
            pull_number: number,
            per_page: perPage,
          }),
        ),
      )
      return readLineComments(found)
    },

    async answer(number, commentId, body) {
      await known(
        changing((octokit, headers) =>
          octokit.request('POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies', {
            ...names,
            headers,
            pull_number: number,
            comment_id: commentId,
            body,
          }),
        ),
      )
    },

    async resolveThreads(number, commentIds) {
      if (commentIds.length === 0) return true
      try {
        for (const id of await unresolved(names, reading, number, new Set(commentIds))) {
          await changing((octokit, headers) => asked(octokit.graphql(resolving, { id, headers })))
        }
        return true
      } catch (error) {
        if (error instanceof ForgeFailure && !notOffered.has(error.fault)) throw error
        return false
      }
    },
  }
}

/** Servers without GraphQL, and tokens that may not use it: a thread that stays unresolved harms nobody. */
const notOffered: ReadonlySet<ForgeFault> = new Set(['forbidden', 'not_found', 'not_offered', 'unexpected'])

const listing = `query ($owner: String!, $repo: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $repo) { pullRequest(number: $number) {
    reviewThreads(first: 100, after: $after) {
      nodes { id isResolved comments(first: 1) { nodes { databaseId } } }
      pageInfo { hasNextPage endCursor }
    }
  } }
}`

const resolving = `mutation ($id: ID!) { resolveReviewThread(input: { threadId: $id }) { thread { id isResolved } } }`

const threadsAnswer = z.object({
  repository: z.object({
    pullRequest: z.object({
      reviewThreads: z.object({
        nodes: z.array(
          z.object({
            id: z.string(),
            isResolved: z.boolean(),
            comments: z.object({ nodes: z.array(z.object({ databaseId: z.int() })) }),
          }),
        ),
        pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
      }),
    }),
  }),
})

/** GraphQL's ids of the threads that these comments began and nobody has resolved. */
async function unresolved(
  names: { readonly owner: string; readonly repo: string },
  reading: Calls,
  number: number,
  commentIds: ReadonlySet<number>,
): Promise<string[]> {
  const found: string[] = []
  let after: string | null = null
  do {
    const variables: Record<string, unknown> = { ...names, number, after }
    const data: unknown = await reading((octokit, headers) =>
      asked(octokit.graphql(listing, { ...variables, headers })),
    )
    const { nodes, pageInfo } = read(threadsAnswer, data).repository.pullRequest.reviewThreads
    for (const thread of nodes) {
      const first = thread.comments.nodes[0]?.databaseId
      if (!thread.isResolved && first !== undefined && commentIds.has(first)) found.push(thread.id)
    }
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null
  } while (after !== null)
  return found
}

/** GraphQL says no in an answer of status 200, with a list of errors. */
const graphqlError = z.object({
  name: z.literal('GraphqlResponseError'),
  errors: z.array(z.object({ type: z.string().optional(), message: z.string() })),
})

async function asked(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call
  } catch (error) {
    const refused = graphqlError.safeParse(error)
    if (!refused.success) throw error
    const { errors } = refused.data
    const message = errors.map((one) => one.message).join('; ')
    if (errors.some((one) => one.type === 'RATE_LIMITED')) {
      throw new ForgeFailure('rate_limited', message, { retryAfterMs: 60_000, cause: error })
    }
    throw new ForgeFailure('forbidden', message, { cause: error })
  }
}
