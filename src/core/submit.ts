import { createHash } from 'node:crypto'
import type { z } from 'zod'
import {
  defaultSilenceMs,
  defaultTimeoutMs,
  submissionSchema,
  type AgentName,
  type RuntimeName,
  type Submission,
} from '../model/submission.ts'
import { branchFor, newTaskId } from '../model/task-id.ts'
import type { NewTask, Task } from '../model/task.ts'
import type { Door, Repositories } from '../ports/repositories.ts'
import type { TaskStore } from '../ports/task-store.ts'

/** What is wrong with a request, by field. */
export interface FieldFault {
  /** Path in the body, e.g. `timeout` or `needs[0]`. */
  readonly field: string
  readonly message: string
  /** Line of the plan, counted from 1, where the fault is one of a plan. */
  readonly line?: number
}

export type Submitted =
  | { kind: 'accepted'; tasks: readonly Task[]; repeated: boolean }
  | { kind: 'faulty'; faults: readonly FieldFault[] }
  /** The idempotency key was used for another request. */
  | { kind: 'key_reused'; key: string }
  /** These tasks of a run are being done again already. */
  | { kind: 'already_retried'; ids: readonly string[] }

export interface SubmitContext {
  readonly store: TaskStore
  readonly repositories: Repositories
  /** The agents that can be asked for. */
  readonly agents: readonly AgentName[]
  /** The runtimes that can be asked for. */
  readonly runtimes: readonly RuntimeName[]
  readonly machineId: string
  /** Says why a host may not be asked for; `null`: it may. */
  readonly refusedHost: (host: string) => string | null
  /** Says why merging into this repository may not be asked for; `null`: it may. */
  readonly refusedMerge: (repo: string) => string | null
}

export interface SubmitOptions {
  readonly door: Door
  readonly pool: string | null
  readonly idempotencyKey?: string
}

/** The one way in: every door hands its requests here, several at once being stored all or none. */
export async function submit(
  context: SubmitContext,
  requests: readonly unknown[],
  options: SubmitOptions,
): Promise<Submitted> {
  const faults: FieldFault[] = []
  const tasks: NewTask[] = []
  for (const [index, request] of requests.entries()) {
    const judged = await judge(context, request, options.door)
    const prefix = requests.length === 1 ? '' : `[${index}].`
    if (judged.ok) tasks.push(judged.task)
    else faults.push(...judged.faults.map((fault) => ({ ...fault, field: `${prefix}${fault.field}` })))
  }
  if (faults.length > 0) return { kind: 'faulty', faults }
  return storeTasks(context, tasks, requests, options)
}

/** The same work again, as a task of its own; the old one stays as it ended. `null`: no such task, or not done yet. */
export async function retry(
  context: SubmitContext,
  id: string,
  options: SubmitOptions,
): Promise<Submitted | null> {
  const before = await context.store.submissionOf(id)
  if (before === null) return null
  const newId = newTaskId()
  const branch = before.options.branchNamed ? before.branch : branchFor(newId, before.prompt)
  const again: NewTask = { ...before, id: newId, branch, retryOf: before.id }
  return storeTasks(context, [again], [{ retryOf: before.id }], options)
}

/** Stores judged tasks, with the run that they belong to. `request`: what a repetition with the same key has to equal. */
export async function storeTasks(
  context: SubmitContext,
  tasks: readonly NewTask[],
  request: unknown,
  options: SubmitOptions,
  run?: Parameters<TaskStore['submit']>[1]['run'],
): Promise<Submitted> {
  const key = options.idempotencyKey
  const answer = await context.store.submit(tasks, {
    pool: options.pool,
    machineId: context.machineId,
    ...(run === undefined ? {} : { run }),
    ...(key === undefined ? {} : { idempotency: { key, requestHash: hashOf(request) } }),
  })
  if (answer.accepted) return { kind: 'accepted', tasks: answer.tasks, repeated: answer.repeated }
  switch (answer.refusal.kind) {
    case 'idempotency_conflict':
      return { kind: 'key_reused', key: answer.refusal.key }
    case 'unknown_needs':
      return {
        kind: 'faulty',
        faults: answer.refusal.ids.map((id) => ({ field: 'needs', message: `there is no task ${id}` })),
      }
    case 'already_retried':
      return { kind: 'already_retried', ids: answer.refusal.ids }
    default:
      return answer.refusal satisfies never
  }
}

/** A submission, or what can be read of one. */
type Asked = z.output<ReturnType<typeof submissionSchema.partial>>

type Judged = { ok: true; task: NewTask } | { ok: false; faults: FieldFault[] }

/** One request, as a task of its own that is not stored yet, or what is wrong with it. */
export async function judge(context: SubmitContext, request: unknown, door: Door): Promise<Judged> {
  const parsed = submissionSchema.safeParse(request)
  if (!parsed.success) {
    // What is of the right shape is judged all the same: whoever mends a request hears of everything at once.
    const faults = parsed.error.issues.flatMap(faultsOf)
    const sound = soundPart(request, parsed.error)
    const more = sound === null ? [] : (await judgeMeaning(context, sound.asked, door)).faults
    return { ok: false, faults: [...faults, ...more.filter(({ field }) => sound?.judges(field) === true)] }
  }
  const asked = parsed.data
  const { faults, agent, located } = await judgeMeaning(context, asked, door)
  if (faults.length > 0 || located?.ok !== true) return { ok: false, faults }
  return { ok: true, task: newTask(asked, agent, located.repo) }
}

/** What is wrong with a request whose fields are of the right shape, with those of them that are there. */
async function judgeMeaning(context: SubmitContext, asked: Asked, door: Door) {
  const agent = asked.agent ?? (asked.command === undefined ? 'claude' : 'command')
  const faults = [
    ...agentFaults(asked, agent, context.agents),
    ...networkFaults(asked, door, context.refusedHost),
    ...runtimeFaults(asked, context.runtimes),
    ...reviewFaults(asked, agent, context.agents),
  ]
  const located = asked.repo === undefined ? null : await context.repositories.locate(asked.repo, door)
  if (located?.ok === false) faults.push({ field: 'repo', message: located.message })
  if (located?.ok === true && asked.merge !== 'never') {
    const why = context.refusedMerge(located.repo)
    if (why !== null) faults.push({ field: 'merge', message: why })
  }
  return { faults, agent, located }
}

/** Fields that are judged together: with one of them unreadable, the others say nothing. */
const judgedTogether = ['agent', 'command', 'reviewer', 'reviewCommand', 'merge']

/** A request without its unreadable fields; `null`: it is no object. */
function soundPart(request: unknown, error: z.ZodError) {
  const unreadable = new Set(error.issues.map((issue) => String(issue.path[0])))
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return null
  const known = Object.keys(submissionSchema.shape)
  const parts = Object.entries(request).filter(([name]) => known.includes(name) && !unreadable.has(name))
  const parsed = submissionSchema.partial().safeParse(Object.fromEntries(parts))
  if (!parsed.success) return null
  // Whoever named no agent yet need not hear that the default one is not there.
  const undecided = parsed.data.agent === undefined && parsed.data.command === undefined
  const apart = undecided || judgedTogether.some((name) => unreadable.has(name))
  const judges = (field: string) => !apart || !judgedTogether.includes(field)
  return { asked: parsed.data, judges }
}

function newTask(asked: Submission, agent: AgentName, repo: string): NewTask {
  const id = newTaskId()
  return {
    id,
    repo,
    base: asked.base ?? null,
    branch: asked.branch ?? branchFor(id, asked.prompt),
    prompt: asked.prompt,
    agent,
    runtime: asked.runtime,
    priority: asked.priority,
    needs: asked.needs,
    paths: asked.paths,
    retryOf: null,
    place: null,
    options: {
      command: asked.command ?? null,
      model: asked.model ?? null,
      maxCostUsd: asked.maxCost ?? null,
      requireChanges: asked.requireChanges,
      timeoutMs: asked.timeout ?? defaultTimeoutMs,
      silenceMs: asked.silence ?? defaultSilenceMs,
      network: asked.network ?? { kind: 'none' },
      branchNamed: asked.branch !== undefined,
      merge: asked.merge,
      mergeMethod: asked.mergeMethod,
      reviewer: asked.reviewer ?? (asked.reviewCommand === undefined ? null : 'command'),
      reviewCommand: asked.reviewCommand ?? null,
      candidates: asked.candidates,
      keep: asked.keep,
    },
  }
}

function agentFaults(asked: Asked, agent: AgentName, available: readonly AgentName[]): FieldFault[] {
  if (!available.includes(agent)) {
    const names = available.join(', ')
    const hint = asked.agent === undefined ? ' (the default, since no command was given)' : ''
    return [
      { field: 'agent', message: `${agent}${hint} is not available in this version; available: ${names}` },
    ]
  }
  const takesCommand = agent === 'command' || agent === 'acp'
  if (takesCommand && asked.command === undefined) {
    return [{ field: 'command', message: `is needed by the agent ${agent}: a shell command` }]
  }
  if (!takesCommand && asked.command !== undefined) {
    return [{ field: 'command', message: `does not go with the agent ${agent}; leave one of the two out` }]
  }
  return []
}

/** Whoever reviews has to be there, and a command reviews only by a command of its own. */
function reviewFaults(asked: Asked, agent: AgentName, available: readonly AgentName[]): FieldFault[] {
  const { reviewer, reviewCommand } = asked
  const byCommand = reviewer === 'command' || reviewer === 'acp'
  if (reviewCommand !== undefined) {
    if (reviewer === undefined || byCommand) return []
    return [
      {
        field: 'reviewCommand',
        message: `does not go with the reviewer ${reviewer}; leave one of the two out`,
      },
    ]
  }
  if (byCommand) {
    return [{ field: 'reviewCommand', message: `is needed by the reviewer ${reviewer}: a shell command` }]
  }
  if (reviewer !== undefined && !available.includes(reviewer)) {
    return [
      { field: 'reviewer', message: `${reviewer} is not available; available: ${available.join(', ')}` },
    ]
  }
  if (asked.merge === 'review' && (agent === 'command' || agent === 'acp')) {
    const message = `must be checks or never, or say who reviews: the agent ${agent} cannot; give a reviewer or a reviewCommand`
    return [{ field: 'merge', message }]
  }
  return []
}

function runtimeFaults({ runtime }: Asked, available: readonly RuntimeName[]): FieldFault[] {
  if (runtime === undefined || runtime === 'auto' || available.includes(runtime)) return []
  return [
    {
      field: 'runtime',
      message:
        runtime === 'dagger'
          ? 'dagger is not set up here: name an engine in _EXPERIMENTAL_DAGGER_RUNNER_HOST or NIGHTSHIFT_ENGINES'
          : `${runtime} is not available here; available: auto, ${available.join(', ')}`,
    },
  ]
}

function networkFaults(asked: Asked, door: Door, refusedHost: SubmitContext['refusedHost']): FieldFault[] {
  const network = asked.network
  if (network === undefined || network.kind === 'none') return []
  if (network.kind === 'full') {
    if (door === 'terminal') return []
    return [
      { field: 'network', message: 'full is for the command run alone; name the hosts that are needed' },
    ]
  }
  return network.hosts.flatMap((host) => {
    const why = refusedHost(host)
    return why === null ? [] : [{ field: 'network', message: why }]
  })
}

function faultsOf(issue: z.core.$ZodIssue): FieldFault[] {
  const field = fieldName(issue.path)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: field === '' ? key : `${field}.${key}`,
      message: 'is not a known field; see /docs for those that are',
    }))
  }
  return [{ field: field === '' ? 'body' : field, message: issue.message }]
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (name, part) =>
      typeof part === 'number' ? `${name}[${part}]` : name === '' ? String(part) : `${name}.${String(part)}`,
    '',
  )
}

// Key order must not make two requests differ: a client that repeats may build its JSON anew.
function hashOf(value: unknown): string {
  const canonical = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
  return createHash('sha256').update(canonical).digest('hex')
}
