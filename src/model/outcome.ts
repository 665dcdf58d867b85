import { z } from 'zod'

/** How a task ended. A task has exactly one, for ever. */
export const outcomes = [
  'merged',
  'open',
  'pushed',
  'no_changes',
  'rejected',
  'checks_failed',
  'agent_failed',
  'conflict',
  'closed',
  'timed_out',
  'cancelled',
  'over_budget',
  'skipped',
  'invalid',
  'error',
] as const

export const outcomeSchema = z.enum(outcomes).meta({ id: 'Outcome', description: 'How the task ended.' })

export type Outcome = z.infer<typeof outcomeSchema>

const goodOutcomes: ReadonlySet<Outcome> = new Set(['merged', 'open', 'pushed', 'no_changes'])

/** Whether a task that ended so lets its dependents start and the command line exit with 0. */
export function isGood(outcome: Outcome): boolean {
  return goodOutcomes.has(outcome)
}

/** The outcomes that are told only when the remote itself answered with the head's SHA. */
export function needsConfirmation(outcome: Outcome): boolean {
  return outcome === 'pushed' || outcome === 'open' || outcome === 'merged'
}
