import { sql } from 'kysely'
import type { Hold } from '../model/task.ts'
import type { Ending } from '../ports/lease.ts'
import { endCancelled, endTask } from './end-task.ts'
import { reasons } from './reasons.ts'
import { enqueue, releaseAfter } from './release.ts'
import { recordStates } from './state-events.ts'
import { storableText } from './storable.ts'
import type { TaskRow } from './task-row.ts'
import type { Tx } from './transaction.ts'

/**
 * Sends a running task, whose row the caller has locked, into its next attempt; ends it where it was cancelled, or
 * where the budget of crashes is spent: one wait for each retry.
 */
export async function retryOrEnd(
  tx: Tx,
  row: TaskRow,
  failure: { reason: string; finally: Ending; expired?: boolean },
  backoffMs: readonly number[],
): Promise<{ answer: 'retried' | 'ended'; changed: readonly string[] }> {
  if (row.cancel_requested_at !== null) {
    return { answer: 'ended', changed: await endCancelled(tx, row, row.cancel_reason) }
  }
  const delayMs = backoffMs[row.crashes]
  if (delayMs === undefined) {
    await endTask(tx, sql<boolean>`tasks.id = ${row.id}`, failure.finally, null)
    return { answer: 'ended', changed: [row.id, ...(await releaseAfter(tx, [row.id]))] }
  }
  await backToQueue(tx, row, {
    reason: reasons.retry(failure.reason, delayMs),
    delayMs,
    crashed: true,
    expired: failure.expired === true,
  })
  return { answer: 'retried', changed: [row.id] }
}

/** Takes a running task, whose row the caller has locked, from its worker, for the next one after the delay. */
export async function backToQueue(
  tx: Tx,
  row: TaskRow,
  how: { hold?: Hold; reason: string; delayMs: number; crashed: boolean; expired?: boolean },
): Promise<void> {
  const reason = storableText(how.reason)
  const hold = how.hold ?? 'retry'
  await sql`
    update tasks set
      state = 'held', hold = ${hold}, reason = ${reason}, worker_id = null, lease_until = null,
      due_at = clock_timestamp() + ${how.delayMs} * interval '1 ms',
      crashes = crashes + ${how.crashed ? 1 : 0}
    where id = ${row.id}`.execute(tx)
  await recordStates(tx, [
    {
      taskId: row.id,
      attempt: row.attempt,
      text: `held: ${reason}`,
      data: { state: 'held', hold, outcome: null, ...(how.expired === true ? { expired: true } : {}) },
    },
  ])
  if (how.delayMs === 0) await enqueue(tx, [row])
}
