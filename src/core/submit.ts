import { createHash } from 'node:crypto'
import type { AgentName, RuntimeName } from '../model/submission.ts'
import { branchFor, newTaskId } from '../model/task-id.ts'
import type { NewTask, Task } from '../model/task.ts'
import type { Door, Repositories } from '../ports/repositories.ts'
import type { TaskStore } from '../ports/task-store.ts'
import { judge } from './judge-submission.ts'

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

// Key order must not make two requests differ: a client that repeats may build its JSON anew.
function hashOf(value: unknown): string {
  const canonical = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
  return createHash('sha256').update(canonical).digest('hex')
}
