import { z } from 'zod'
import { repositoryFileSchema } from './repository-file.ts'

/** The JSON Schema of `.nightshift.yaml` as people write it; draft 7, which editors read best. */
export function repositoryFileJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(repositoryFileSchema, { io: 'input', target: 'draft-7' }) }
}
