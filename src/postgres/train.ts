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
    const isFresh = await wish(tx, row)
    if (await isTaken(tx, row, base)) return { boarding: 'taken' as const, woken: [] }
    const first = isFresh ? await thoseBefore(tx, row) : { any: false, woken: [] }
    if (first.any) return { boarding: 'behind' as const, woken: first.woken }
    const taken = await sql<{ task_id: string }>`
      insert into train (repo, base, task_id, attempt)
      values (${row.repo}, ${base}, ${lease.taskId}, ${lease.attempt})
      on conflict (repo, base) do update set task_id = excluded.task_id, attempt = excluded.attempt
      where train.task_id = excluded.task_id or not exists (${liveHolder})
      returning task_id`.execute(tx)
    if (taken.rows.length === 0) return { boarding: 'taken' as const, woken: [] }
    await sql`update tasks set train_since = null where id = ${row.id}`.execute(tx)
    return { boarding: 'aboard' as const, woken: [] }
  })
  context.notifier.changed(woken)
  return boarding
}

const liveHolder = sql`
  select from tasks holder
  where holder.id = train.task_id and holder.attempt = train.attempt
    and holder.state = 'running' and holder.lease_until > clock_timestamp()`

async function isTaken(tx: Tx, row: TaskRow, base: string): Promise<boolean> {
  const others = await sql`
    select from train
    where repo = ${row.repo} and base = ${base} and task_id <> ${row.id} and exists (${liveHolder})`.execute(
    tx,
  )
  return others.rows.length > 0
}

/** Notes since when it could go; whether that is so short a time ago that it lets others go first. */
async function wish(tx: Tx, row: TaskRow): Promise<boolean> {
  if (row.run_id === null) return false
  const wished = await sql<{ fresh: boolean }>`
    update tasks set train_since = coalesce(train_since, clock_timestamp()) where id = ${row.id}
    returning train_since > clock_timestamp() - ${courtesyMs} * interval '1 ms' as fresh`.execute(tx)
  return wished.rows[0]?.fresh === true
}

/**
 * Whether tasks before this one in its plan, whose work is made, may be able to merge now: those on their way, those
 * that wait for the train, and those that wait for the forge and have not looked since this one could go. The latter
 * are woken, to look, and of the others the first.
 */
async function thoseBefore(tx: Tx, row: TaskRow): Promise<{ any: boolean; woken: readonly string[] }> {
  const before = await sql<{ id: string; held: boolean; looks: boolean }>`
    select earlier.id, earlier.state = 'held' as held, coalesce(earlier.hold = 'forge', false) as looks
    from tasks earlier join tasks own on own.id = ${row.id}
    where earlier.run_id = own.run_id and earlier.plan_order < own.plan_order
      and earlier.repo = own.repo and earlier.base = own.base and earlier.options->>'merge' <> 'never'
      and (earlier.state in ('queued', 'running') or earlier.state = 'held' and (
        earlier.hold = 'train' or earlier.hold = 'forge' and earlier.started_at < own.train_since))
      and (exists (select from progress where task_id = earlier.id)
        or exists (select from saved_work where task_id = earlier.id))
    order by earlier.plan_order`.execute(tx)
  const wake = before.rows.filter(({ held, looks }, place) => held && (looks || place === 0))
  if (wake.length === 0) return { any: before.rows.length > 0, woken: [] }
  const waking = await sql<{ id: string; attempt: number; pool: string }>`
    select id, attempt, pool from tasks where id = any(${wake.map(({ id }) => id)}::text[]) and state = 'held'
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
    return repo === undefined ? [] : wakeNext(tx, { repo, base })
  })
  context.notifier.changed(changed)
}

/** Wakes the first that waits for the train of this base, if nobody is aboard. Answers its id. */
export async function wakeNext(
  tx: Tx,
  { repo, base }: { readonly repo: string; readonly base: string | null },
): Promise<readonly string[]> {
  const next = await sql<{ id: string; attempt: number; pool: string }>`
    select id, attempt, pool from tasks
    where state = 'held' and hold = 'train' and repo = ${repo} and base = ${base}
      and not exists (select from train where repo = ${repo} and base = ${base})
    order by priority desc, id limit 1 for update skip locked`.execute(tx)
  if (next.rows.length > 0) await enqueue(tx, next.rows)
  return next.rows.map((row) => row.id)
}
