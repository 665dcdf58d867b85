import { z } from 'zod'
import { evidenceSchema } from './evidence.ts'
import type { Network } from './network.ts'
import { outcomeSchema } from './outcome.ts'
import { agentNames, runtimeNames, type AgentName } from './submission.ts'

export const states = ['queued', 'held', 'running', 'done'] as const
export type State = (typeof states)[number]

/** What a held task waits for. */
export const holds = ['needs', 'overlap', 'retry', 'pause'] as const
export type Hold = (typeof holds)[number]

/** A task as API and CLI show it. */
export const taskSchema = z
  .object({
    id: z.string(),
    state: z.enum(states),
    outcome: outcomeSchema.nullable(),
    reason: z.string().nullable().meta({ description: 'Why it waits, or why it ended so, in a sentence.' }),
    repo: z.string(),
    base: z.string().nullable().meta({ description: 'null until the remote has named its default branch.' }),
    branch: z.string(),
    prompt: z.string(),
    agent: z.enum(agentNames),
    runtime: z.enum([...runtimeNames, 'auto']).meta({ description: 'auto until a worker has chosen one.' }),
    attempt: z.int().nonnegative().meta({ description: '0 before the first start.' }),
    priority: z.int(),
    runId: z.string().nullable(),
    batch: z.string().nullable(),
    needs: z.array(z.string()),
    paths: z.array(z.string()),
    retryOf: z.string().nullable().meta({ description: 'The task that this one does again.' }),
    cancelRequestedAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable().meta({ description: 'When its last attempt started.' }),
    endedAt: z.iso.datetime().nullable(),
    evidence: evidenceSchema.nullable().meta({ description: 'null until there is some.' }),
  })
  .meta({ id: 'Task' })
export type Task = z.infer<typeof taskSchema>

/**
 * What a worker needs to know of a task beyond what is shown: kept as one JSON value, since nothing in the queue
 * asks for its parts.
 */
export interface TaskOptions {
  command: string | null
  requireChanges: boolean
  timeoutMs: number
  silenceMs: number
  network: Network
  /** The person named the branch: a stranger's branch of that name is an error, not a reason for another name. */
  branchNamed: boolean
  merge: 'never' | 'checks' | 'review'
}

/** A task ready to be stored. */
export interface NewTask {
  id: string
  repo: string
  base: string | null
  branch: string
  prompt: string
  agent: AgentName
  runtime: Task['runtime']
  priority: number
  needs: readonly string[]
  paths: readonly string[]
  retryOf: string | null
  options: TaskOptions
}
