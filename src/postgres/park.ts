import { sql } from 'kysely'
import type { Lease, Parking } from '../ports/lease.ts'
import { endCancelled } from './end-task.ts'
import { enqueue } from './release.ts'
import { backToQueue } from './retry.ts'
import { lockHeld } from './settle.ts'
import { storableText } from './storable.ts'
import type { StoreContext } from './store-context.ts'
import { wakeNext } from './train.ts'
import { inTransaction } from './transaction.ts'

/** A task whose worker waits for something outside gives its slot back, and is due again later. */
export async function park(context: StoreContext, lease: Lease, parking: Parking): Promise<void> {
  const changed = await inTransaction(context.db, async (tx) => {
    const row = await lockHeld(tx, lease)
    if (row.cancel_requested_at !== null) return endCancelled(tx, row, row.cancel_reason)
    // What it looked at may be older than what the forge has told since.
    const isTold = parking.hold === 'forge' && row.told_at !== null && row.told_at > (row.started_at ?? 0)
    await backToQueue(tx, row, { ...parking, ...(isTold ? { delayMs: 0 } : {}), crashed: false })
    if (parking.hold === 'train') return [row.id]
    await sql`update tasks set train_since = null where id = ${row.id}`.execute(tx)
    // It has been waited for, maybe: now it is seen that it cannot go.
    return [row.id, ...(await wakeNext(tx, row))]
  })
  context.notifier.changed(changed)
}

export async function wake(context: StoreContext, taskId: string): Promise<void> {
  const changed = await inTransaction(context.db, async (tx) => {
    const found = await sql<{ id: string; attempt: number; pool: string }>`
      select id, attempt, pool from tasks
      where id = ${storableText(taskId)} and state = 'held' and hold in ('quota', 'disk', 'forge', 'train')
      for update`.execute(tx)
    if (found.rows.length > 0) await enqueue(tx, found.rows)
    return found.rows.map((row) => row.id)
  })
  context.notifier.changed(changed)
}
