import { z } from 'zod'
import { submissionSchema } from './submission.ts'
import { taskOptionsShape } from './task-options.ts'

const { branch: _branch, ...options } = taskOptionsShape

/**
 * The body of `POST /runs`: a plan and where it is carried out, and options for all its tasks, which take the place of
 * the front matter's.
 */
export const runRequestSchema = z
  .strictObject({
    repo: submissionSchema.shape.repo.optional().meta({
      description: 'URL or path of the repository. May be left out where the plan names it.',
    }),
    planPath: z
      .string()
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: 'The plan, a file of the repository at the base.' }),
    plan: z.string().optional().meta({ description: 'The plan itself, Markdown; instead of planPath.' }),
    ...options,
  })
  .meta({ id: 'RunRequest' })
