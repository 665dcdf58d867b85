import { z } from 'zod'
import { evidenceSchema } from './evidence.ts'
import type { Candidate, KeepRule } from './candidate.ts'
import type { Network } from './network.ts'
import { outcomeSchema } from './outcome.ts'
import {
  agentNames,
  defaultSilenceMs,
  defaultTimeoutMs,
  runtimeNames,
  type AgentName,
  type mergeMethods,
  type mergeModes,
} from './submission.ts'

export const states = ['queued', 'held', 'running', 'done'] as const
export type State = (typeof states)[number]

/** What a held task waits for. */
export const holds = [
  'needs',
  'batch',
  'overlap',
  'retry',
  'pause',
  'quota',
  'disk',
  'forge',
  'train',
] as const
export type Hold = (typeof holds)[number]

/** What a worker can park a task for: it holds no slot meanwhile, and is claimed again outside every budget. */
export type ParkingHold = Extract<Hold, 'retry' | 'quota' | 'disk' | 'forge' | 'train'>

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
    batch: z.string().nullable().meta({ description: 'The id of its batch in the plan of its run.' }),
    planTask: z.string().nullable().meta({ description: 'Its id in the plan of its run.' }),
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
  /** As the agent's command line names it; `null`: its own default. */
  model: string | null
  /** US dollars that the task may cost, all attempts and rounds together; `null`: no cap of its own. */
  maxCostUsd: number | null
  requireChanges: boolean
  timeoutMs: number
  silenceMs: number
  network: Network
  /** The person named the branch: a stranger's branch of that name is an error, not a reason for another name. */
  branchNamed: boolean
  merge: (typeof mergeModes)[number]
  mergeMethod: (typeof mergeMethods)[number]
  /** Who reviews; `null`: the agent itself, where a review is asked for. */
  reviewer: AgentName | null
  /** Shell command of a reviewer `command` or `acp`. */
  reviewCommand: string | null
  /** How many agents work on it side by side, of which one is kept. */
  candidates: number
  /** Who they are, one by one; `null`: all are as the task itself has it. */
  lineup: readonly Candidate[] | null
  /** Which of them, among those that pass the gate. */
  keep: KeepRule
  /** Who prefers one of them; `null`: the agent itself, where a judge is asked for. */
  judge: AgentName | null
  /** Shell command of a judge `command` or `acp`. */
  judgeCommand: string | null
}

/** Options as they were before they were known: what older versions stored lacks the newer ones. */
export const defaultTaskOptions: TaskOptions = {
  command: null,
  model: null,
  maxCostUsd: null,
  requireChanges: false,
  timeoutMs: defaultTimeoutMs,
  silenceMs: defaultSilenceMs,
  network: { kind: 'none' },
  branchNamed: false,
  merge: 'never',
  mergeMethod: 'merge',
  reviewer: null,
  reviewCommand: null,
  candidates: 1,
  lineup: null,
  keep: 'first',
  judge: null,
  judgeCommand: null,
}

/** Where a task stands in a run. */
export interface RunPlace {
  readonly runId: string
  /** The id of its batch in the plan. */
  readonly batch: string
  /** Counted from 0. */
  readonly batchNumber: number
  /** Its place among all tasks of the plan, counted from 0. */
  readonly order: number
  /** Its id in the plan. */
  readonly planTask: string
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
  /** `null`: it belongs to no run. */
  place: RunPlace | null
  options: TaskOptions
}
