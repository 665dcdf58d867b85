import type { z } from '@hono/zod-openapi'
import { issueWords } from '../model/issue-words.ts'
import type { FieldError } from './problem.ts'

/** What zod found wrong, by field. */
export function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((field) => ({ field, message: 'is not known; see /docs for what is' }))
  }
  return [{ field: issue.path.length === 0 ? 'body' : issue.path.join('.'), message: issueWords(issue) }]
}
