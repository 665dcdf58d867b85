import { z } from 'zod'
import { isBranchName } from './branch-name.ts'
import { keepRules, maxCandidates } from './candidate.ts'
import { durationSchema } from './duration.ts'
import { networkSchema } from './network.ts'

/** Agents that the contract names. Which of them this process can run is the business of `agents/`. */
export const agentNames = ['claude', 'codex', 'gemini', 'opencode', 'acp', 'command'] as const
export type AgentName = (typeof agentNames)[number]

export const runtimeNames = ['dagger', 'local'] as const
export type RuntimeName = (typeof runtimeNames)[number]

export const mergeModes = ['never', 'checks', 'review'] as const
export const mergeMethods = ['merge', 'squash', 'rebase'] as const

/** An environment variable holds at most 128 KiB on Linux; the prompt travels in one, with room for findings. */
export const maxPromptBytes = 100_000
export const defaultTimeoutMs = 60 * 60_000
export const defaultSilenceMs = 15 * 60_000
export const maxNeeds = 100

// PostgreSQL's text cannot hold U+0000, and neither can an argument or an environment variable.
function text(maxBytes: number) {
  return z
    .string()
    .refine((value) => !value.includes('\0'), 'must not contain a NUL character')
    .refine((value) => Buffer.byteLength(value) <= maxBytes, `must have at most ${maxBytes} bytes`)
}

function visible(maxBytes: number) {
  return text(maxBytes).refine((value) => value.trim() !== '', 'must not be empty')
}

export const branchSchema = z
  .string()
  .max(200)
  .refine(isBranchName, 'must be a valid branch name, such as feature/one')

/** A path pattern relative to the repository's root. */
const pathGlobSchema = z
  .string()
  .min(1)
  .max(500)
  .refine(
    (glob) => !glob.startsWith('/') && !glob.split('/').includes('..') && !glob.includes('\0'),
    'must be relative to the root of the repository, without ..',
  )

/** One of several agents at the same work, as a request names it. */
export const candidateSchema = z
  .strictObject(
    {
      agent: z.enum(agentNames).optional(),
      model: visible(200).optional(),
      command: visible(maxPromptBytes).optional(),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys' ? 'is not known here; there are agent, command, model' : undefined,
    },
  )
  .meta({ id: 'Candidate', description: 'What is left out is as the task has it.' })

const candidatesSchema = z
  .union([z.int().min(1).max(maxCandidates), z.array(candidateSchema).min(1).max(maxCandidates)], {
    error: `must be a number from 1 to ${maxCandidates}, or a list of {agent, model, command}`,
  })
  .meta({
    description:
      'Agents that work on it side by side, of which one result is kept: how many, or each by itself.',
  })

/**
 * What a person asks for: the body of `POST /tasks` and the flags of `run` and `submit`, in camelCase. Unknown keys
 * are errors, so that a misspelt limit is never ignored.
 */
export const submissionSchema = z
  .strictObject({
    repo: visible(2000).meta({ description: 'URL or path of the repository.' }),
    prompt: visible(maxPromptBytes).meta({ description: 'What is to be done.' }),
    base: branchSchema.optional().meta({ description: 'Branch to start from. Default: the default branch.' }),
    agent: z
      .enum(agentNames)
      .optional()
      .meta({ description: 'Default: claude, or command where command is given.' }),
    command: visible(maxPromptBytes)
      .optional()
      .meta({ description: 'Shell command of the agents command and acp.' }),
    model: visible(200)
      .optional()
      .meta({ description: 'As the agent names it; opencode: provider/model. Default: the agent’s own.' }),
    maxCost: z
      .number()
      .positive()
      .max(100_000)
      .optional()
      .meta({ description: 'US dollars that the task may cost in all.' }),
    reviewer: z.enum(agentNames).optional().meta({ description: 'Agent that reviews. Default: the same.' }),
    reviewCommand: visible(maxPromptBytes)
      .optional()
      .meta({ description: 'Shell command of the reviewers command and acp; prints a verdict as JSON.' }),
    candidates: candidatesSchema.default(1),
    keep: z.enum(keepRules).optional().meta({
      description:
        'Which candidate is kept, among those that pass the gate. Default: first, or judge where one is given.',
    }),
    judge: z
      .enum(agentNames)
      .optional()
      .meta({ description: 'Agent that prefers one candidate. Default: the same.' }),
    judgeCommand: visible(maxPromptBytes)
      .optional()
      .meta({ description: 'Shell command of the judges command and acp; prints its choice as JSON.' }),
    requireChanges: z
      .boolean()
      .default(false)
      .meta({ description: 'Ending without a change is agent_failed.' }),
    runtime: z.enum([...runtimeNames, 'auto']).default('auto'),
    timeout: durationSchema({ minMs: 100, maxMs: 7 * 86_400_000 })
      .optional()
      .meta({ description: 'Wall clock.' }),
    silence: durationSchema({ minMs: 100, maxMs: 7 * 86_400_000 })
      .optional()
      .meta({ description: 'How long the agent may say nothing. Default 15m.' }),
    merge: z.enum(mergeModes).default('never'),
    mergeMethod: z.enum(mergeMethods).default('merge'),
    branch: branchSchema.optional().meta({ description: 'Default: nightshift/<short id>-<slug>.' }),
    paths: z
      .array(pathGlobSchema)
      .max(100)
      .default([])
      .meta({ description: 'What the task says it will touch.' }),
    network: networkSchema.optional(),
    priority: z.int().min(-1000).max(1000).default(0).meta({ description: 'Higher goes first.' }),
    needs: z
      .array(z.string().min(1).max(64))
      .max(maxNeeds)
      .default([])
      .meta({ description: 'Ids of tasks that must end well first.' }),
  })
  .meta({ id: 'Submission' })

export type Submission = z.output<typeof submissionSchema>
