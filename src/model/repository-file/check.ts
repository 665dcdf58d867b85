import { z } from 'zod'
import { durationSchema } from '../duration.ts'
import { globsSchema } from '../policy/glob.ts'
import { section } from '../policy/section.ts'
import { filesPlaceholder, placeholderFault } from './files-placeholder.ts'
import { commandSchema } from './text.ts'

const defaultTimeoutMs = 30 * 60_000

/** One check, as the pipeline runs it. */
export interface Check {
  readonly name: string
  readonly run: string
  /** `null`: it does not ask which files changed, unless `run` has `{files}`: then all of them count. */
  readonly files: readonly string[] | null
  /** What fails on the base already is not the task's fault. */
  readonly baseline: boolean
  readonly timeoutMs: number
}

export const checkSchema = section({
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    // oxlint-disable-next-line no-control-regex -- a name is shown on one line
    .regex(/^[^\x00-\x1f\x7f]*$/, 'must be one line')
    .meta({ description: 'Shown in evidence and logs; different for each check.' }),
  run: commandSchema
    .superRefine((command, context) => {
      const fault = placeholderFault(command)
      if (fault !== null) context.addIssue(fault)
    })
    .meta({
      description: `Shell command. ${filesPlaceholder}: the changed files that match; skipped when none do.`,
    }),
  files: globsSchema.optional().meta({ description: 'Only when one of these changed.' }),
  baseline: z
    .boolean()
    .default(false)
    .meta({ description: 'What fails on the base already is not the task’s fault.' }),
  timeout: durationSchema({ minMs: 1000, maxMs: 24 * 3_600_000 })
    .optional()
    .meta({ description: 'Wall clock, such as 10m. Default 30m.' }),
}).transform(({ name, run, files, baseline, timeout }): Check => ({
  name,
  run,
  files: files ?? null,
  baseline,
  timeoutMs: timeout ?? defaultTimeoutMs,
}))
