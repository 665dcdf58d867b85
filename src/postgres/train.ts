import { sql } from 'kysely'
import type { Lease } from '../ports/lease.ts'
import { lockHeld } from './settle.ts'
import { enqueue } from './release.ts'
import type { StoreContext } from './store-context.ts'
import { inTransaction } from './transaction.ts'

/**
 * Takes the one seat of a repository's base. It is free where nobody has it, where its holder has ended, or where the
 * holder's attempt has lost its lease: a worker that died keeps nobody waiting.
 */
export async function boardTrain(context: StoreContext, lease: Lease, base: string): Promise<boolean> {
  return inTransaction(context.db, async (tx) => {
    const row = await lockHeld(tx, lease)
    const taken = await sql<{ task_id: string }>`
      insert into train (repo, base, task_id, attempt)
      values (${row.repo}, ${base}, ${lease.taskId}, ${lease.attempt})
      on conflict (repo, base) do update set task_id = excluded.task_id, attempt = excluded.attempt
      where train.task_id = excluded.task_id or not exists (
        select from tasks holder
        where holder.id = train.task_id and holder.attempt = train.attempt
          and holder.state = 'running' and holder.lease_until > clock_timestamp())
      returning task_id`.execute(tx)
    return taken.rows.length > 0
  })
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
