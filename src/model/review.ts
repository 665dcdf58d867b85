import { z } from 'zod'

/** Longer answers are no reviews. */
const maxFindings = 200
const maxMessageLength = 10_000

export const findingSchema = z.object({
  file: z.string().min(1).max(4096),
  line: z.int().positive().nullable().default(null),
  severity: z.enum(['blocking', 'minor']),
  message: z.string().min(1).max(maxMessageLength),
})
export type Finding = z.output<typeof findingSchema>

/** What a reviewer answers. More fields are let pass: agents like to add some. */
export const reviewSchema = z
  .object({
    verdict: z.enum(['approve', 'request_changes']),
    findings: z.array(findingSchema).max(maxFindings).default([]),
  })
  .meta({ id: 'Review' })
export type Review = z.output<typeof reviewSchema>

/** Whether the work may not go on as it is. A blocking finding counts, whatever the verdict says. */
export function asksForChanges(review: Review): boolean {
  return (
    review.verdict === 'request_changes' || review.findings.some(({ severity }) => severity === 'blocking')
  )
}

/** A reviewer's answer, or what is wrong with it, as a clause. */
export type ReadReview = { ok: true; review: Review } | { ok: false; fault: string }

/**
 * Finds the review in what a reviewer printed: the whole of it, the last fenced block, or the last line or object that
 * is one. Whatever else it printed is not looked at.
 */
export function readReview(text: string): ReadReview {
  const candidates = candidatesIn(text)
  if (candidates.length === 0) return { ok: false, fault: 'it printed no JSON object' }
  let fault = ''
  for (const candidate of candidates) {
    const parsed = reviewSchema.safeParse(candidate)
    if (parsed.success) return { ok: true, review: parsed.data }
    const issue = parsed.error.issues[0]
    fault ||= `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not as asked for'}`
  }
  return { ok: false, fault }
}

/** Every JSON object that begins at the beginning of a line, the last first. */
function candidatesIn(text: string): unknown[] {
  const found: unknown[] = []
  const starts = [...text.matchAll(/^[ \t]*\{/gm)].map((match) => match.index).toReversed()
  for (const start of starts.slice(0, 50)) {
    const value = objectAt(text, start)
    if (typeof value === 'object' && value !== null && 'verdict' in value) found.push(value)
  }
  return found
}

/** The JSON value that begins here: up to the end of the text, or to a closing brace at the end of a line. */
function objectAt(text: string, start: number): unknown {
  const ends = [...text.slice(start).matchAll(/\}[ \t]*$/gm)].map((match) => start + match.index + 1)
  for (const end of ends.slice(0, 200)) {
    try {
      return JSON.parse(text.slice(start, end)) as unknown
    } catch {
      // A brace further down may be the one.
    }
  }
  return null
}
