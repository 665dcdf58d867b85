import type { z } from '@hono/zod-openapi'
import { issueWords } from '../model/issue-words.ts'
import { invalidFields, type FieldError } from './problem.ts'

/** What zod found wrong, by field. */
export function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((field) => ({ field, message: 'is not known; see /docs for what is' }))
  }
  return [{ field: issue.path.length === 0 ? 'body' : issue.path.join('.'), message: issueWords(issue) }]
}

/** Throws a problem of status 422 where a parameter of the query stands twice, so that none is chosen in silence. */
export function refuseDoubled(query: Readonly<Record<string, readonly string[]>>): void {
  const doubled = Object.keys(query).filter((field) => (query[field]?.length ?? 0) > 1)
  if (doubled.length > 0)
    throw invalidFields(doubled.map((field) => ({ field, message: 'stands twice; leave one out' })))
}
