import { sql, type RawBuilder, type Selectable } from 'kysely'
import type { TaskEvent } from '../model/event.ts'
import { noEvidence, type Evidence } from '../model/evidence.ts'
import { defaultTaskOptions, type NewTask, type Task } from '../model/task.ts'
import { LeaseLost, type Lease } from '../ports/lease.ts'
import type { EventsTable, TasksTable } from './schema.ts'

export type TaskRow = Selectable<TasksTable>

/** What API and CLI show of a task; the other columns, large ones among them, are not read for a list. */
export const shownColumns = [
  'tasks.id',
  'tasks.state',
  'tasks.outcome',
  'tasks.reason',
  'tasks.repo',
  'tasks.base',
  'tasks.branch',
  'tasks.prompt',
  'tasks.agent',
  'tasks.runtime',
  'tasks.attempt',
  'tasks.priority',
  'tasks.run_id',
  'tasks.batch',
  'tasks.plan_task',
  'tasks.needs',
  'tasks.paths',
  'tasks.retry_of',
  'tasks.cancel_requested_at',
  'tasks.created_at',
  'tasks.started_at',
  'tasks.ended_at',
  'tasks.evidence',
] as const

type ShownColumn = (typeof shownColumns)[number] extends `tasks.${infer Name}` ? Name : never
export type ShownRow = Pick<TaskRow, ShownColumn & keyof TaskRow>

/** A row as API and CLI show it. */
export function toTask(row: ShownRow): Task {
  return {
    id: row.id,
    state: row.state,
    outcome: row.outcome,
    reason: row.reason,
    repo: row.repo,
    base: row.base,
    branch: row.branch,
    prompt: row.prompt,
    agent: row.agent,
    runtime: row.runtime,
    attempt: row.attempt,
    priority: row.priority,
    runId: row.run_id,
    batch: row.batch,
    planTask: row.plan_task,
    needs: [...row.needs],
    paths: [...row.paths],
    retryOf: row.retry_of,
    cancelRequestedAt: row.cancel_requested_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    endedAt: row.ended_at?.toISOString() ?? null,
    evidence: toEvidence(row.evidence),
  }
}

/** The task as it was asked for, before workers wrote into it. */
export function toNewTask(row: TaskRow): NewTask {
  return {
    id: row.id,
    repo: row.repo,
    prompt: row.prompt,
    agent: row.agent,
    priority: row.priority,
    needs: [...row.needs],
    paths: [...row.paths],
    retryOf: row.retry_of,
    place: toPlace(row),
    options: { ...defaultTaskOptions, ...row.options },
    ...row.asked,
  }
}

function toPlace(row: TaskRow): NewTask['place'] {
  const { run_id: runId, batch, batch_number: batchNumber, plan_order: order, plan_task: planTask } = row
  if (runId === null || batch === null || batchNumber === null || order === null || planTask === null)
    return null
  return { runId, batch, batchNumber, order, planTask }
}

// jsonb sorts keys by length; people read them in the order of the contract.
function toEvidence(stored: Evidence | null): Evidence | null {
  return stored === null ? null : Object.assign(noEvidence(), stored)
}

export function toEvent(row: Selectable<EventsTable>): TaskEvent {
  return {
    id: Number(row.id),
    taskId: row.task_id,
    attempt: row.attempt,
    at: row.at.toISOString(),
    type: row.type,
    step: row.step,
    text: row.text,
    data: row.data,
  }
}

/**
 * The fence, on every write under a lease: the row is still this attempt of this worker, and its time has not run
 * out. `clock_timestamp()`, since `now()` stands still while a statement waits for a lock.
 */
export function isHeld(lease: Lease): RawBuilder<boolean> {
  return sql<boolean>`(
    tasks.id = ${lease.taskId} and tasks.attempt = ${lease.attempt} and tasks.worker_id = ${lease.workerId}
    and tasks.state = 'running' and tasks.lease_until > clock_timestamp())`
}

/** Throws {@link LeaseLost} where a fenced statement found no row. */
export function assertHeld<T>(lease: Lease, row: T | undefined): asserts row is T {
  if (row === undefined) throw new LeaseLost(lease)
}
