import { sql } from 'kysely'
import type { Lease } from '../ports/lease.ts'
import type { Boarding } from '../ports/task-store.ts'
import { lockHeld } from './settle.ts'
import { enqueue } from './release.ts'
import type { StoreContext } from './store-context.ts'
import type { TaskRow } from './task-row.ts'
import { inTransaction, type Tx } from './transaction.ts'

/** How long a task lets those before it in its plan go first, from when it could go itself. */
const courtesyMs = 30_000

/**
 * Takes the one seat of a repository's base. It is free where nobody has it, where its holder has ended, or where the
 * holder's attempt has lost its lease: a worker that died keeps nobody waiting. Nor is it taken while those before it
 * in the plan may go as well.
 */
export async function boardTrain(context: StoreContext, lease: Lease, base: string): Promise<Boarding> {
  const { boarding, woken } = await inTransaction(context.db, async (tx) => {
    const row = await lockHeld(tx, lease)
    const first = await thoseBefore(tx, row)
    if (first.any) return { boarding: 'behind' as const, woken: first.woken }
    const taken = await sql<{ task_id: string }>`
      insert into train (repo, base, task_id, attempt)
      values (${row.repo}, ${base}, ${lease.taskId}, ${lease.attempt})
      on conflict (repo, base) do update set task_id = excluded.task_id, attempt = excluded.attempt
      where train.task_id = excluded.task_id or not exists (
        select from tasks holder
        where holder.id = train.task_id and holder.attempt = train.attempt
          and holder.state = 'running' and holder.lease_until > clock_timestamp())
      returning task_id`.execute(tx)
    if (taken.rows.length === 0) return { boarding: 'taken' as const, woken: [] }
    await sql`update tasks set train_since = null where id = ${row.id}`.execute(tx)
    return { boarding: 'aboard' as const, woken: [] }
  })
  context.notifier.changed(woken)
  return boarding
}

/**
 * Whether tasks before this one in its plan, whose work is made, may be able to merge now: those on their way, those
 * that wait for the train, and those that wait for the forge and have not looked since this one could go. The latter
 * are woken, to look.
 */
async function thoseBefore(tx: Tx, row: TaskRow): Promise<{ any: boolean; woken: readonly string[] }> {
  if (row.run_id === null) return { any: false, woken: [] }
  const wished = await sql<{ fresh: boolean }>`
    update tasks set train_since = coalesce(train_since, clock_timestamp()) where id = ${row.id}
    returning train_since > clock_timestamp() - ${courtesyMs} * interval '1 ms' as fresh`.execute(tx)
  if (wished.rows[0]?.fresh !== true) return { any: false, woken: [] }
  const before = await sql<{ id: string; held: boolean }>`
    select earlier.id, earlier.state = 'held' as held from tasks earlier join tasks own on own.id = ${row.id}
    where earlier.run_id = own.run_id and earlier.plan_order < own.plan_order
      and earlier.repo = own.repo and earlier.base = own.base and earlier.options->>'merge' <> 'never'
      and (earlier.state in ('queued', 'running') or earlier.state = 'held' and (
        earlier.hold = 'train' or earlier.hold = 'forge' and earlier.started_at < own.train_since))
      and (exists (select from progress where task_id = earlier.id)
        or exists (select from saved_work where task_id = earlier.id))`.execute(tx)
  const held = before.rows.filter((one) => one.held).map((one) => one.id)
  if (held.length === 0) return { any: before.rows.length > 0, woken: [] }
  const waking = await sql<{ id: string; attempt: number; pool: string }>`
    select id, attempt, pool from tasks where id = any(${held}::text[]) and state = 'held'
    order by id for update skip locked`.execute(tx)
  if (waking.rows.length > 0) await enqueue(tx, waking.rows)
  return { any: true, woken: waking.rows.map((one) => one.id) }
}

/** Gives the seat back and lets the first of those that wait for it go on. */
export async function leaveTrain(context: StoreContext, lease: Lease, base: string): Promise<void> {
  const changed = await inTransaction(context.db, async (tx) => {
    const left = await sql<{ repo: string }>`
      delete from train where base = ${base} and task_id = ${lease.taskId} and attempt = ${lease.attempt}
      returning repo`.execute(tx)
    const repo = left.rows[0]?.repo
    if (repo === undefined) return []
    const next = await sql<{ id: string; attempt: number; pool: string }>`
      select id, attempt, pool from tasks
      where state = 'held' and hold = 'train' and repo = ${repo} and base = ${base}
      order by priority desc, id limit 1 for update skip locked`.execute(tx)
    if (next.rows.length > 0) await enqueue(tx, next.rows)
    return next.rows.map((row) => row.id)
  })
  context.notifier.changed(changed)
}
