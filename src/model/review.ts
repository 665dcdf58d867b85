import { z } from 'zod'
import { objectsIn, type ReadAnswer } from './answered-json.ts'

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

const loose = z.looseObject({
  findings: z.array(z.looseObject({ line: z.unknown(), message: z.unknown(), severity: z.unknown() })),
})

/** Of slips that change nothing of what is meant: lines that are none, words and lists without end. */
function withoutSlips(answer: unknown): unknown {
  const read = loose.safeParse(answer)
  if (!read.success) return answer
  const findings = read.data.findings.map((finding) => {
    const line = Number(finding.line)
    return {
      ...finding,
      line: Number.isSafeInteger(line) && line > 0 ? line : null,
      message:
        typeof finding.message === 'string' ? finding.message.slice(0, maxMessageLength) : finding.message,
    }
  })
  const weighed = findings.toSorted((one, two) => weight(one.severity) - weight(two.severity))
  return { ...read.data, findings: findings.length > maxFindings ? weighed.slice(0, maxFindings) : findings }
}

function weight(severity: unknown): number {
  return severity === 'blocking' ? 0 : 1
}

/**
 * Finds the review in what a reviewer printed: the whole of it, the last fenced block, or the last line or object that
 * is one. Whatever else it printed is not looked at.
 */
export function readReview(text: string): ReadAnswer<Review> {
  const found = objectsIn(text, 'verdict')
  if (found.length === 0) return { ok: false, fault: 'it printed no JSON object' }
  let fault = ''
  for (const one of found) {
    const parsed = reviewSchema.safeParse(withoutSlips(one))
    if (parsed.success) return { ok: true, answer: parsed.data }
    const issue = parsed.error.issues[0]
    fault ||= `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not as asked for'}`
  }
  return { ok: false, fault }
}
