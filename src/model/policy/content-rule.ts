import { z } from 'zod'
import { fieldTypeSchema } from './field-type.ts'
import { globsSchema } from './glob.ts'
import { section } from './section.ts'

/** A regular expression of JavaScript with the flags `m` and `u`: `^` and `$` are the ends of a line. */
const patternSchema = z
  .string()
  .min(1)
  .max(1000)
  .superRefine((source, context) => {
    try {
      // oxlint-disable-next-line no-new -- only whether it can be read is asked
      new RegExp(source, 'mu')
    } catch (error) {
      context.addIssue(`is no regular expression: ${error instanceof Error ? error.message : String(error)}`)
    }
  })

/** What changed files of some kind must look like. */
export const contentRuleSchema = section({
  files: globsSchema.meta({ description: 'Which files the rule is for.' }),
  frontMatter: z.record(z.string().min(1).max(100), fieldTypeSchema).optional().meta({
    description: 'Fields between --- lines at the top, and their types. A name with ? behind is optional.',
  }),
  onlyExisting: z.boolean().default(false).meta({ description: 'No new file here.' }),
  required: patternSchema
    .optional()
    .meta({ description: 'Regular expression that must be found in the file.' }),
  forbidden: patternSchema
    .optional()
    .meta({ description: 'Regular expression that must not be found in the file.' }),
}).refine(
  (rule) =>
    rule.frontMatter !== undefined ||
    rule.onlyExisting ||
    rule.required !== undefined ||
    rule.forbidden !== undefined,
  'asks nothing of the files: add frontMatter, onlyExisting, required or forbidden',
)
export type ContentRule = z.output<typeof contentRuleSchema>
