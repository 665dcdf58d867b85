import { z } from 'zod'
import { contentRuleSchema, type ContentRule } from './content-rule.ts'
import { globSchema, globsSchema, isLiteral } from './glob.ts'
import type { PackageScript } from '../repository-file/command-scripts.ts'
import { section } from './section.ts'

/**
 * What each key means where it is left out: the same with and without a file. Ordinary work passes; what is refused
 * is what hardly any work needs and what people do not see in a diff.
 */
export const policyDefaults = {
  maxFiles: null,
  maxLines: null,
  maxFileBytes: null,
  tests: 'free',
  binary: 'allow',
  submodules: 'deny',
  executable: 'allow',
  symlinks: 'inside',
  secrets: 'deny',
  mergeCommits: 'allow',
  protect: 'default',
} as const

const rows = Object.entries(policyDefaults).map(([key, value]) => `${key}: ${value ?? 'no limit'}`)
const defaultsTable = `Where left out: allow: everything; deny: nothing; ${rows.join('; ')}; authors: anyone; content: no rule.`

const permission = z.enum(['allow', 'deny'])
const limit = z.int().min(0).max(1_000_000_000).optional()

const policyShape = {
  allow: globsSchema.optional().meta({
    description:
      'Nothing else may change. A path that is named without a wildcard may change although it is protected.',
  }),
  deny: globsSchema.default([]).meta({ description: 'These must not change.' }),
  maxFiles: limit.meta({ description: 'Files that may change at most.' }),
  maxLines: limit.meta({ description: 'Lines added and removed at most, binary files apart.' }),
  maxFileBytes: limit.meta({ description: 'Bytes that a changed file may have at most.' }),
  tests: z
    .enum(['keep', 'free'])
    .default(policyDefaults.tests)
    .meta({ description: 'keep: no test deleted, skipped, emptied or stripped of its assertions.' }),
  binary: permission.default(policyDefaults.binary).meta({ description: 'Added or changed binary files.' }),
  submodules: permission
    .default(policyDefaults.submodules)
    .meta({ description: 'Added or changed submodules.' }),
  executable: permission
    .default(policyDefaults.executable)
    .meta({ description: 'Files that become executable.' }),
  symlinks: z
    .enum(['inside', 'deny', 'allow'])
    .default(policyDefaults.symlinks)
    .meta({ description: 'inside: those that stay in the tree.' }),
  secrets: permission
    .default(policyDefaults.secrets)
    .meta({ description: 'Passwords, keys and tokens in what was added.' }),
  mergeCommits: permission
    .default(policyDefaults.mergeCommits)
    .meta({ description: 'Commits with several parents.' }),
  protect: z
    .union([z.literal('default'), globSchema, z.array(globSchema).max(200)])
    .default(policyDefaults.protect)
    .meta({
      description:
        'What defines the checks and must not change. default: CI files, package scripts, test, lint and type settings; ' +
        'or globs, with default as one of them to keep these too. .nightshift.yaml always is.',
    }),
  authors: globsSchema
    .optional()
    .meta({ description: 'E-mail addresses that commits may carry, e.g. "*@example.org".' }),
  content: z
    .array(contentRuleSchema)
    .max(100)
    .default([])
    .meta({ description: 'What changed files must look like.' }),
}

/** One protection, by one file: what it covers, and which paths that same file lets change all the same. */
export interface Protection {
  readonly globs: readonly string[]
  /** The built-in list of what defines checks. */
  readonly defaults: boolean
  /** Paths without wildcards. */
  readonly except: readonly string[]
  /** It is the operator's: a repository cannot lift it. */
  readonly byOperator: boolean
  /** Scripts of package.json that the checks run: the files that these run are covered, too. */
  readonly packageScripts?: readonly PackageScript[]
}

/** The rules of one file, or of several laid over each other. */
export interface Policy {
  /** A path must pass every list; no list: everything may change. */
  readonly allow: readonly (readonly string[])[]
  readonly deny: readonly string[]
  /** `null`: no limit. */
  readonly maxFiles: number | null
  readonly maxLines: number | null
  readonly maxFileBytes: number | null
  readonly tests: 'keep' | 'free'
  readonly binary: 'allow' | 'deny'
  readonly submodules: 'allow' | 'deny'
  readonly executable: 'allow' | 'deny'
  readonly symlinks: 'inside' | 'deny' | 'allow'
  readonly secrets: 'allow' | 'deny'
  readonly mergeCommits: 'allow' | 'deny'
  readonly protect: readonly Protection[]
  /** An address must pass every list. */
  readonly authors: readonly (readonly string[])[]
  readonly content: readonly ContentRule[]
}

/** The section `policy` of `.nightshift.yaml`, and the whole of the operator's file. */
export const policySchema = section(policyShape)
  .transform(({ allow, authors, protect, ...rest }): Policy => {
    const globs = typeof protect === 'string' ? [protect] : protect
    return {
      ...rest,
      allow: allow === undefined ? [] : [allow],
      authors: authors === undefined ? [] : [authors],
      maxFiles: rest.maxFiles ?? policyDefaults.maxFiles,
      maxLines: rest.maxLines ?? policyDefaults.maxLines,
      maxFileBytes: rest.maxFileBytes ?? policyDefaults.maxFileBytes,
      protect: [
        {
          globs: globs.filter((glob) => glob !== 'default'),
          defaults: globs.includes('default'),
          except: (allow ?? []).filter(isLiteral),
          byOperator: false,
        },
      ],
    }
  })
  .meta({ description: `Rules that the work must keep. ${defaultsTable}` })

/** The policy of a repository that has no file of its own. */
export function defaultPolicy(): Policy {
  return policySchema.parse({})
}
