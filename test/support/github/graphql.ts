import { lineCommentsOf, type StandInRepository } from './repository.ts'
import { Refusal, type Answer, type Call } from './routes.ts'

/** Not part of the OpenAPI description: of GraphQL, the two questions that are asked, as its reference has them. */
export const graphqlRoute = 'POST /graphql'

interface Asked {
  readonly query: string
  readonly variables: {
    readonly id?: string
    readonly owner?: string
    readonly repo?: string
    readonly number?: number
  }
}

/** Threads of a pull request, and that one is resolved. The id of a thread names its first comment. */
export function answerGraphql(repositories: ReadonlyMap<string, StandInRepository>, call: Call): Answer {
  const { query, variables } = call.body as Asked
  if (query.includes('resolveReviewThread(')) {
    const [, slug, id] =
      /^(.*)#(\d+)$/.exec(Buffer.from(variables.id ?? '', 'base64url').toString('utf8')) ?? []
    const found = repositories.get(slug ?? '')?.pulls ?? []
    for (const pull of found) {
      if (lineCommentsOf(pull).some((one) => one.id === Number(id))) pull.resolved.add(Number(id))
    }
    return {
      status: 200,
      body: { data: { resolveReviewThread: { thread: { id: variables.id, isResolved: true } } } },
    }
  }
  if (!query.includes('reviewThreads(')) throw new Refusal(400, 'A query attribute must be specified')
  const slug = `${variables.owner ?? ''}/${variables.repo ?? ''}`.toLowerCase()
  const pull = repositories.get(slug)?.pull(variables.number ?? 0)
  if (pull === undefined) throw new Refusal(404, 'Not Found')
  const nodes = lineCommentsOf(pull)
    .filter(({ replyTo }) => replyTo === null)
    .map(({ id }) => ({
      id: Buffer.from(`${slug}#${id}`).toString('base64url'),
      isResolved: pull.resolved.has(id),
      comments: { nodes: [{ databaseId: id }] },
    }))
  const reviewThreads = { nodes, pageInfo: { hasNextPage: false, endCursor: null } }
  return { status: 200, body: { data: { repository: { pullRequest: { reviewThreads } } } } }
}
