import type { z } from 'zod'

/**
 * Of the forms that a value may have, what is wrong with the one that was meant: whose own type fits the value that was
 * given. Paths are those of the whole. `null`: none was meant.
 */
export function issuesOfMeant(issue: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] | null {
  const meant = issue.errors.find(
    (form) =>
      !form.some((one) => one.path.length === 0 && one.code !== 'custom' && one.code !== 'unrecognized_keys'),
  )
  return meant?.map((one) => ({ ...one, path: [...issue.path, ...one.path] })) ?? null
}
