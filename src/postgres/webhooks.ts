import { sql } from 'kysely'
import type { Delivery, EndNotice } from '../ports/task-store.ts'
import { enqueue } from './release.ts'
import { storableText } from './storable.ts'
import type { StoreContext } from './store-context.ts'
import { toTask } from './task-row.ts'
import { inTransaction } from './transaction.ts'

/**
 * Wakes what waits for what a forge tells of, and has what is at work look again before it waits; a delivery that is
 * known already wakes nobody. Answers how many were woken.
 */
export async function hear(context: StoreContext, delivery: Delivery): Promise<number> {
  const woken = await inTransaction(context.db, async (tx) => {
    const fresh = await sql<{ id: string }>`
      insert into webhook_deliveries (id) values (${storableText(delivery.id)})
      on conflict do nothing returning id`.execute(tx)
    if (fresh.rows.length === 0) return []
    const isAbout = sql`progress.task_id = tasks.id and progress.slug = ${storableText(delivery.slug)}
      and (progress.number = ${delivery.number}::int or progress.head_sha = ${delivery.sha}::text)`
    await sql`
      update tasks set told_at = clock_timestamp() from progress
      where ${isAbout} and tasks.state = 'running'`.execute(tx)
    const waiting = await sql<{ id: string; attempt: number; pool: string }>`
      select tasks.id, tasks.attempt, tasks.pool from tasks join progress on ${isAbout}
      where tasks.state = 'held' and tasks.hold in ('forge', 'train')
      order by tasks.id for update of tasks`.execute(tx)
    if (waiting.rows.length > 0) await enqueue(tx, waiting.rows)
    return waiting.rows.map((row) => row.id)
  })
  context.notifier.changed(woken)
  return woken.length
}

/** Waits before the tries after the first, in seconds; after the last, nobody is told any more. */
const waitsSeconds = [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800]

export async function dueNotices(context: StoreContext, limit: number): Promise<readonly EndNotice[]> {
  return inTransaction(context.db, async (tx) => {
    const due = await sql<{ task_id: string; tries: number }>`
      update notices set
        tries = notices.tries + 1,
        due_at = clock_timestamp()
          + (${waitsSeconds}::int[])[least(notices.tries + 1, ${waitsSeconds.length})] * interval '1 s'
      from (
        select task_id from notices where due_at <= clock_timestamp()
        order by due_at limit ${limit} for update skip locked) due
      where notices.task_id = due.task_id
      returning notices.task_id, notices.tries`.execute(tx)
    if (due.rows.length === 0) return []
    const triesOf = new Map(due.rows.map((row) => [row.task_id, row.tries]))
    const rows = await tx
      .selectFrom('tasks')
      .selectAll()
      .where('id', 'in', [...triesOf.keys()])
      .execute()
    return rows.map((row) => ({ task: toTask(row), tries: triesOf.get(row.id) ?? 1 }))
  })
}

export async function noticeDone(context: StoreContext, taskId: string): Promise<void> {
  await context.db.deleteFrom('notices').where('task_id', '=', taskId).execute()
}

/** What nobody asked for, or could be told of; and deliveries that no forge sends again. */
export async function forgetOldWebhooks(context: StoreContext): Promise<void> {
  await sql`
    delete from notices where tries > ${waitsSeconds.length} or ended_at < now() - interval '1 day'`.execute(
    context.db,
  )
  await sql`delete from webhook_deliveries where received_at < now() - interval '3 days'`.execute(context.db)
}
