import { z } from 'zod'
import { keptCandidateSchema } from './candidate.ts'
import { reviewSchema } from './review.ts'

/** 40 (SHA-1) or 64 (SHA-256 repositories) hex digits. */
export const shaSchema = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/)

const timestampSchema = z.iso.datetime()

/** One broken rule, as the gate found it on the publisher's copy. */
export const violationSchema = z
  .object({
    rule: z.string().meta({ description: 'The key of the policy that was broken, e.g. deny.' }),
    file: z.string().nullable(),
    line: z.int().positive().nullable(),
    message: z.string().meta({ description: 'What is wrong and what to do about it.' }),
  })
  .meta({ id: 'Violation' })
export type Violation = z.infer<typeof violationSchema>

/** One check that ran on the head, in a clean sandbox. */
export const checkResultSchema = z
  .object({
    name: z.string(),
    command: z.string(),
    files: z.array(z.string()),
    exitCode: z
      .int()
      .nullable()
      .meta({ description: 'null: it did not end by itself (time limit, killed).' }),
    durationMs: z.number().nonnegative(),
    outputTail: z.string().optional().meta({ description: 'The end of its output; the log has all of it.' }),
    baselineFailed: z
      .boolean()
      .optional()
      .meta({ description: 'It fails on the base in the same way: not the task’s fault.' }),
    newFailures: z.array(z.string()).optional().meta({
      description:
        'Where it fails on the base too: what is new, as names of tests or as lines of its output.',
    }),
  })
  .meta({ id: 'CheckResult' })
export type CheckResult = z.infer<typeof checkResultSchema>

/** What is known of the agent's run. Numbers it did not report, or that do not apply, are null. */
export const agentEvidenceSchema = z
  .object({
    name: z.string(),
    version: z.string().nullable(),
    path: z
      .string()
      .optional()
      .meta({ description: 'The command line that ran, where it is on its machine.' }),
    model: z.string().optional().meta({ description: 'The model that answered.' }),
    exitCode: z.int().nullable(),
    fault: z
      .string()
      .optional()
      .meta({ description: 'How its last round ended badly, after our own hook had refused its commit.' }),
    turns: z.int().nullable(),
    inputTokens: z.int().nullable(),
    outputTokens: z.int().nullable(),
    costUsd: z.number().nullable(),
  })
  .meta({ id: 'AgentEvidence' })
export type AgentEvidence = z.infer<typeof agentEvidenceSchema>

/** The facts that prove how a task ended. Gathered step by step; what was not reached is null or empty. */
export const evidenceSchema = z
  .object({
    baseSha: shaSchema.nullable().meta({ description: 'The pinned commit that the work started from.' }),
    headSha: shaSchema
      .nullable()
      .meta({ description: 'The last commit of the work, as the publisher holds it.' }),
    confirmedAt: timestampSchema
      .nullable()
      .meta({ description: 'When the remote was asked for the branch and answered headSha.' }),
    commits: z.int().nonnegative(),
    files: z.array(z.string()).meta({ description: 'Paths that differ between base and head.' }),
    insertions: z.int().nonnegative(),
    deletions: z.int().nonnegative(),
    policy: z
      .object({ passed: z.boolean(), violations: z.array(violationSchema) })
      .nullable()
      .meta({ description: 'null: the work never reached the gate.' }),
    checks: z.array(checkResultSchema),
    agent: agentEvidenceSchema.nullable(),
    candidate: keptCandidateSchema
      .optional()
      .meta({ description: 'Of several agents at the same work, the one whose work this is.' }),
    pullRequest: z
      .object({
        number: z.int().positive(),
        url: z.string(),
        reviews: z.int().nonnegative(),
        mergedSha: shaSchema.nullable(),
      })
      .nullable(),
    review: reviewSchema
      .nullable()
      .meta({ description: 'The last review by a reviewing agent, of headSha.' }),
    mergedSha: shaSchema
      .nullable()
      .meta({ description: 'The commit on the base that has the work, with or without a pull request.' }),
  })
  .meta({ id: 'Evidence' })
export type Evidence = z.infer<typeof evidenceSchema>

/** Evidence of a task that has not done anything yet. */
export function noEvidence(): Evidence {
  return {
    baseSha: null,
    headSha: null,
    confirmedAt: null,
    commits: 0,
    files: [],
    insertions: 0,
    deletions: 0,
    policy: null,
    checks: [],
    agent: null,
    pullRequest: null,
    review: null,
    mergedSha: null,
  }
}
