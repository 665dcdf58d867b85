import { z } from 'zod'
import { objectsIn, type ReadAnswer } from './answered-json.ts'

const maxReasonLength = 1000

/** What a judge answers. More fields are let pass: agents like to add some. */
const judgementSchema = z.object({
  candidate: z.int(),
  reason: z.string().default(''),
})
export type Judgement = z.output<typeof judgementSchema>

/** Finds the choice among these candidates in what a judge printed, as a review is found. */
export function readJudgement(text: string, numbers: readonly number[]): ReadAnswer<Judgement> {
  const [last] = objectsIn(text, 'candidate')
  if (last === undefined) return { ok: false, fault: 'it printed no JSON object with a candidate' }
  const parsed = judgementSchema.safeParse(last)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return { ok: false, fault: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not as asked for'}` }
  }
  const { candidate, reason } = parsed.data
  if (!numbers.includes(candidate)) {
    return { ok: false, fault: `candidate: ${candidate} is none of ${numbers.join(', ')}` }
  }
  return { ok: true, answer: { candidate, reason: reason.trim().slice(0, maxReasonLength) } }
}
