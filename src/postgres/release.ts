import { sql } from 'kysely'
import { noEvidence } from '../model/evidence.ts'
import { isGood, type Outcome } from '../model/outcome.ts'
import { isPaused } from './pause.ts'
import { prepared } from './prepared.ts'
import { reasons } from './reasons.ts'
import { lockNextBatches, type WaitingTask } from './release-batch.ts'
import { recordStates } from './state-events.ts'
import type { Tx } from './transaction.ts'

interface Dependent extends WaitingTask {
  readonly needs: readonly {
    id: string
    outcome: Outcome | null
    root: { id: string; outcome: Outcome } | null
  }[]
}

/**
 * Lets go what waited for tasks that have just ended in this transaction: dependents whose needs have all ended well
 * are queued, those with a need that ended badly are skipped, and so on down the chain; so are the tasks of a batch,
 * once the last one of the batch before has ended. Answers the ids of all tasks
 * that changed. To be called in a statement after the one that ended them.
 */
export async function releaseAfter(tx: Tx, endedIds: readonly string[]): Promise<string[]> {
  if (!(await isWaitedFor(tx, endedIds))) return []
  const changed: string[] = []
  let ended = endedIds
  while (ended.length > 0) {
    const skipped: string[] = []
    const free: Dependent[] = []
    const next = await lockNextBatches(tx, ended)
    const dependents = [...(await lockDependents(tx, ended)), ...(await withNeeds(tx, next))]
    for (const dependent of dependents) {
      const bad = dependent.needs.find((need) => need.outcome !== null && !isGood(need.outcome))
      const open = dependent.needs.filter((need) => need.outcome === null).map((need) => need.id)
      if (bad !== undefined && bad.outcome !== null) {
        const reason = reasons.skipped({ id: bad.id, outcome: bad.outcome }, bad.root)
        await skip(tx, dependent, reason, bad.root?.id ?? bad.id)
        skipped.push(dependent.id)
      } else if (open.length > 0) {
        await tx
          .updateTable('tasks')
          .set({ hold: 'needs', reason: reasons.needs(open) })
          .where('id', '=', dependent.id)
          .execute()
      } else {
        free.push(dependent)
      }
      changed.push(dependent.id)
    }
    await enqueue(tx, free)
    changed.push(...(await releaseOverlaps(tx, ended)))
    ended = skipped
  }
  return changed
}

/** Puts held tasks, whose rows the caller has locked, into the queue. */
export async function enqueue(
  tx: Tx,
  tasks: readonly { id: string; attempt: number; pool: string }[],
): Promise<void> {
  const paused = tasks.some((task) => task.pool === '') && (await isPaused(tx))
  for (const hold of [null, 'pause'] as const) {
    const those = tasks.filter((task) => (paused && task.pool === '') === (hold === 'pause'))
    if (those.length === 0) continue
    const state = hold === null ? 'queued' : 'held'
    const reason = hold === null ? null : reasons.paused
    await tx
      .updateTable('tasks')
      .set({ state, hold, reason, because_of: null, due_at: null })
      .where(
        'id',
        'in',
        those.map((task) => task.id),
      )
      .execute()
    await recordStates(
      tx,
      those.map((task) => ({
        taskId: task.id,
        attempt: task.attempt,
        text: reason === null ? state : `${state}: ${reason}`,
        data: { state, hold, outcome: null },
      })),
    )
  }
}

/** One question for the usual case, that nothing waits. */
async function isWaitedFor(tx: Tx, ended: readonly string[]): Promise<boolean> {
  if (ended.length === 0) return false
  const found = await sql<{ waited: boolean }>`
    ${prepared} select exists (select from task_needs where need_id = any(${ended}::text[]))
      or exists (select from tasks where state = 'held' and hold = 'overlap' and because_of = any(${ended}::text[]))
      or exists (
        select from tasks ended join tasks waiting on waiting.run_id = ended.run_id
        where ended.id = any(${ended}::text[]) and waiting.state = 'held' and waiting.hold = 'batch')
      as waited`.execute(tx)
  return found.rows[0]?.waited === true
}

/** Locks those that wait for any of these, in the order of their ids, and reads how all their needs stand after that. */
async function lockDependents(tx: Tx, ended: readonly string[]): Promise<readonly Dependent[]> {
  const locked = await sql<{ id: string; attempt: number; pool: string }>`
    select id, attempt, pool from tasks
    where state = 'held' and hold = 'needs'
      and id in (select task_id from task_needs where need_id = any(${ended}::text[]))
    order by id for update`.execute(tx)
  return withNeeds(tx, locked.rows)
}

async function withNeeds(tx: Tx, tasks: readonly WaitingTask[]): Promise<readonly Dependent[]> {
  if (tasks.length === 0) return []
  const needs = await sql<{
    task_id: string
    id: string
    outcome: Outcome | null
    root_id: string | null
    root_outcome: Outcome | null
  }>`
    select task_needs.task_id, need.id, need.outcome, root.id as root_id, root.outcome as root_outcome
    from task_needs
      join tasks need on need.id = task_needs.need_id
      left join tasks root on root.id = need.because_of and need.state = 'done'
    where task_needs.task_id = any(${tasks.map((row) => row.id)}::text[])
    order by need.id`.execute(tx)
  const byTask = Map.groupBy(needs.rows, (need) => need.task_id)
  return tasks.map((task) => ({
    ...task,
    needs: (byTask.get(task.id) ?? []).map((need) => ({
      id: need.id,
      outcome: need.outcome,
      root:
        need.root_id === null || need.root_outcome === null
          ? null
          : { id: need.root_id, outcome: need.root_outcome },
    })),
  }))
}

async function skip(
  tx: Tx,
  task: { id: string; attempt: number },
  reason: string,
  becauseOf: string,
): Promise<void> {
  await tx
    .updateTable('tasks')
    .set({
      state: 'done',
      hold: null,
      outcome: 'skipped',
      reason,
      because_of: becauseOf,
      ended_at: sql<Date>`clock_timestamp()`,
      evidence: JSON.stringify(noEvidence()),
    })
    .where('id', '=', task.id)
    .execute()
  await recordStates(tx, [
    {
      taskId: task.id,
      attempt: task.attempt,
      text: `skipped: ${reason}`,
      data: { state: 'done', hold: null, outcome: 'skipped' },
    },
  ])
}

async function releaseOverlaps(tx: Tx, ended: readonly string[]): Promise<readonly string[]> {
  const waiting = await sql<{ id: string; attempt: number; pool: string }>`
    select id, attempt, pool from tasks
    where state = 'held' and hold = 'overlap' and because_of = any(${ended}::text[])
    order by id for update`.execute(tx)
  if (waiting.rows.length > 0) await enqueue(tx, waiting.rows)
  return waiting.rows.map((row) => row.id)
}
