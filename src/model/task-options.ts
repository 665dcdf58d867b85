import { z } from 'zod'
import { submissionSchema } from './submission.ts'

const { repo: _repo, prompt: _prompt, needs: _needs, ...shape } = submissionSchema.shape

/**
 * What may be set for a task beside what it is and what it needs, each optional and without a default: where several
 * places can set an option, only what was written down counts.
 */
export const taskOptionsShape: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  Object.entries(shape).map(([name, schema]) => {
    const bare = schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : schema
    return [name, bare.optional()]
  }),
)
