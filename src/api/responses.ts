import type { RouteConfig } from '@hono/zod-openapi'
import { jsonOf } from './components.ts'
import { problemKinds, type ProblemKind } from './problem.ts'

type Responses = RouteConfig['responses']

// What every route under /api/v1 can answer.
const everywhere: readonly ProblemKind[] = [
  'bad-host',
  'unauthorized',
  'cross-site',
  'internal',
  'database-away',
]
const withBody: readonly ProblemKind[] = [
  'read-only',
  'malformed-body',
  'body-too-large',
  'unsupported-media-type',
  'invalid-fields',
]

/**
 * Documents the answers of a route: its own, the problems named, those of every route, and those of a body where it
 * takes one. Without a type of their own, so that handlers may answer with any Response.
 */
export function answers(own: Responses, kinds: readonly ProblemKind[], takesBody = false): Responses {
  const all = new Set([...kinds, ...everywhere, ...(takesBody ? withBody : [])])
  const responses: Responses = { ...own }
  for (const kind of [...all].toSorted((a, b) => problemKinds[a].status - problemKinds[b].status)) {
    const { status, title } = problemKinds[kind]
    const before = responses[status]
    const description =
      before === undefined || !('description' in before) ? title : `${before.description}; ${title}`
    responses[status] = {
      description,
      content: jsonOf('Problem', 'application/problem+json'),
      ...(status === 401 ? { headers: { 'WWW-Authenticate': { schema: { type: 'string' } } } } : {}),
      ...(status === 503 ? { headers: { 'Retry-After': { schema: { type: 'integer' } } } } : {}),
    }
  }
  return responses
}
