import { z } from 'zod'
import type { AgentName } from './submission.ts'

/** Agents that may work on one task side by side. */
export const maxCandidates = 8

/** Which candidate is kept, among those that pass the gate: the first to end, the smallest, or the one a judge prefers. */
export const keepRules = ['first', 'smallest', 'judge'] as const
export type KeepRule = (typeof keepRules)[number]

/** One of several at the same work. */
export interface Candidate {
  readonly agent: AgentName
  /** `null`: the agent's own default. */
  readonly model: string | null
  /** Of the agents `command` and `acp`. */
  readonly command: string | null
}

/** Which candidate was kept, and why: part of a task's evidence. */
export const keptCandidateSchema = z
  .object({
    number: z.int().positive().meta({ description: 'Counted from 1.' }),
    of: z.int().positive(),
    why: z.string().meta({ description: 'Why this one, as a clause.' }),
  })
  .meta({ id: 'KeptCandidate' })
export type KeptCandidate = z.infer<typeof keptCandidateSchema>
