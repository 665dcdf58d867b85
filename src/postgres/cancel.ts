import { sql } from 'kysely'
import type { Task } from '../model/task.ts'
import { endCancelled } from './end-task.ts'
import { recordStates } from './state-events.ts'
import { storableText } from './storable.ts'
import type { StoreContext } from './store-context.ts'
import { toTask, type TaskRow } from './task-row.ts'
import { inTransaction, type Tx } from './transaction.ts'

export async function cancel(context: StoreContext, id: string, reason: string): Promise<Task | null> {
  const answer = await inTransaction(context.db, async (tx) => {
    const row = await tx
      .selectFrom('tasks')
      .selectAll()
      .where('id', '=', storableText(id))
      .forUpdate()
      .executeTakeFirst()
    if (row === undefined) return null
    const changed = await cancelLocked(tx, row, storableText(reason))
    const after = await tx.selectFrom('tasks').selectAll().where('id', '=', row.id).executeTakeFirstOrThrow()
    return { task: toTask(after), changed }
  })
  if (answer === null) return null
  context.notifier.changed(answer.changed)
  return answer.task
}

async function cancelLocked(tx: Tx, row: TaskRow, reason: string): Promise<readonly string[]> {
  switch (row.state) {
    case 'done':
      return []
    case 'queued':
    case 'held':
      await request(tx, row, reason)
      return endCancelled(tx, row, reason)
    case 'running':
      // Asked once: the first reason is the one that counts.
      if (row.cancel_requested_at !== null) return []
      await request(tx, row, reason)
      await recordStates(tx, [
        {
          taskId: row.id,
          attempt: row.attempt,
          text: `asked to end: ${reason}`,
          data: { state: 'running', hold: null, outcome: null, cancelRequested: true },
        },
      ])
      return [row.id]
    default:
      return row.state satisfies never
  }
}

async function request(tx: Tx, row: TaskRow, reason: string): Promise<void> {
  await tx
    .updateTable('tasks')
    .set({ cancel_requested_at: sql<Date>`clock_timestamp()`, cancel_reason: reason })
    .where('id', '=', row.id)
    .execute()
}
