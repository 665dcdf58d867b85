import { z } from 'zod'
import { keptCandidateSchema } from './candidate.ts'
import { checkResultSchema, shaSchema, violationSchema } from './evidence.ts'
import { reviewSchema } from './review.ts'

/**
 * How far a task has come once its work was judged: kept outside of every attempt, so that one that waited, or whose
 * worker died, goes on from there. Older versions lack the newer fields: each has its default.
 */
export const progressSchema = z.object({
  /** The commit that a head builds on, by the head, where that is not the pinned base: the train moves heads. */
  bases: z.record(z.string(), shaSchema).default({}),
  /** The candidate that was kept. */
  candidate: keptCandidateSchema.nullable().default(null),
  /** The head that the gate let through, and what it found. */
  judged: z
    .object({
      headSha: shaSchema,
      policy: z.object({ passed: z.boolean(), violations: z.array(violationSchema) }).nullable(),
      checks: z.array(checkResultSchema),
    })
    .nullable()
    .default(null),
  /** Where the remote was seen to have it. */
  pushed: z
    .object({ branch: z.string(), sha: shaSchema, confirmedAt: z.iso.datetime() })
    .nullable()
    .default(null),
  /** Fix rounds that were spent. */
  rounds: z.int().nonnegative().default(0),
  pullRequest: z
    .object({ slug: z.string(), number: z.int().positive(), url: z.string() })
    .nullable()
    .default(null),
  /** The last review, the head that it is about, and whether the forge has it. */
  review: z
    .object({ headSha: shaSchema, review: reviewSchema, posted: z.boolean() })
    .nullable()
    .default(null),
  /** The head whose review is being mended: its threads are answered once there is another one. */
  toAnswer: shaSchema.nullable().default(null),
  /** What people said that was given to the agent (`review 7`, `comment 8`), and the head that it was said about. */
  heard: z.record(z.string(), shaSchema).default({}),
  /** Reviews that were posted. */
  reviews: z.int().nonnegative().default(0),
  /** A merge of this head was about to be asked for. */
  merging: z.object({ headSha: shaSchema, baseSha: shaSchema }).nullable().default(null),
  /** Since when it waits for the same thing, how often it has looked, what that is, and the head whose checks it is. */
  waiting: z
    .object({
      since: z.iso.datetime(),
      looks: z.int().nonnegative(),
      for: z.enum(['answer', 'checks', 'people', 'merge', 'conflict', 'runtime']).default('checks'),
      checksOf: shaSchema.nullable(),
    })
    .nullable()
    .default(null),
})

export type Progress = z.output<typeof progressSchema>

export const noProgress: Progress = progressSchema.parse({})
