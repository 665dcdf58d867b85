import { z } from 'zod'
import { policySchema, type Policy } from '../policy/schema.ts'
import { section } from '../policy/section.ts'
import { checkSchema, type Check } from './check.ts'
import { networkSectionSchema, type NetworkSection } from './network-section.ts'
import { setupSchema, type Setup } from './setup.ts'

export const defaultFixRounds = 2

/** `.nightshift.yaml`, with every default filled in. */
export interface RepositoryFile {
  /** Container image of the dagger runtime; `null`: ours. */
  readonly image: string | null
  readonly setup: Setup | null
  readonly checks: readonly Check[]
  readonly policy: Policy
  /** How often the agent gets violations, failures or a review back. */
  readonly fixRounds: number
  readonly network: NetworkSection
}

const checksSchema = z
  .array(checkSchema)
  .max(50)
  .superRefine((checks, context) => {
    for (const [index, { name }] of checks.entries()) {
      if (checks.findIndex((check) => check.name === name) === index) continue
      const message = `is the name of another check too: give each its own`
      context.addIssue({ code: 'custom', path: [index, 'name'], message })
    }
  })

export const repositoryFileSchema = section({
  image: z
    .string()
    .max(500)
    .regex(/^[\w][\w.:/@-]*$/, 'must be a container image, such as node:24-bookworm')
    .optional()
    .meta({ description: 'Container image of the dagger runtime.' }),
  setup: setupSchema
    .optional()
    .meta({ description: 'Before the agent, and again before the checks in a clean sandbox.' }),
  checks: checksSchema.default([]).meta({ description: 'What the work must pass, in order.' }),
  policy: policySchema.prefault({}),
  fixRounds: z
    .int()
    .min(0)
    .max(10)
    .default(defaultFixRounds)
    .meta({ description: 'How often the agent gets violations, failures or a review back.' }),
  network: networkSectionSchema
    .prefault({})
    .meta({ description: 'Hosts that may be reached, on top of the agent’s own model API.' }),
})
  .transform(({ image, setup, ...rest }): RepositoryFile => ({
    image: image ?? null,
    setup: setup ?? null,
    ...rest,
  }))
  .meta({ title: '.nightshift.yaml', description: 'How Nightshift works on this repository.' })

/** What counts for a repository that has no file of its own. */
export function defaultRepositoryFile(): RepositoryFile {
  return repositoryFileSchema.parse({})
}
