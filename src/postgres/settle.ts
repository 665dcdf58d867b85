import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { needsConfirmation } from '../model/outcome.ts'
import type { Ending, Lease } from '../ports/lease.ts'
import { endCancelled, endTask } from './end-task.ts'
import { releaseAfter } from './release.ts'
import { backToQueue, retryOrEnd } from './retry.ts'
import type { StoreContext } from './store-context.ts'
import { assertHeld, isHeld, type TaskRow } from './task-row.ts'
import { inTransaction, type Tx } from './transaction.ts'

const compress = promisify(gzip)

/** A success was told without the proof that it needs. */
export class UnprovenOutcome extends Error {
  override readonly name = 'UnprovenOutcome'

  constructor(lease: Lease, ending: Ending, lacks: string, cause?: unknown) {
    super(`task ${lease.taskId} cannot end ${ending.outcome}: ${lacks}`, { cause })
  }
}

export async function settle(
  context: StoreContext,
  lease: Lease,
  ending: Ending,
  diff: Buffer | null,
): Promise<void> {
  const { outcome, evidence } = ending
  if (needsConfirmation(outcome) && (evidence.headSha === null || evidence.confirmedAt === null)) {
    throw new UnprovenOutcome(lease, ending, 'the evidence has no SHA that the remote confirmed')
  }
  const packed = diff === null ? null : await compress(diff)
  const released = await inTransaction(context.db, async (tx) => {
    assertHeld(lease, await endTask(tx, isHeld(lease), ending, packed))
    return releaseAfter(tx, [lease.taskId])
  }).catch((error: unknown) => {
    if (!isUnproven(error)) throw error
    throw new UnprovenOutcome(lease, ending, 'its head was never meant to be pushed to its branch', error)
  })
  context.notifier.changed([lease.taskId, ...released])
}

export async function retryLater(
  context: StoreContext,
  lease: Lease,
  failure: { reason: string; finally: Ending },
): Promise<'retried' | 'ended'> {
  const { answer, changed } = await inTransaction(context.db, async (tx) => {
    const row = await lockHeld(tx, lease)
    return retryOrEnd(tx, row, failure, context.options.failedBackoffMs)
  })
  context.notifier.changed(changed)
  return answer
}

export async function handBack(context: StoreContext, lease: Lease, reason: string): Promise<void> {
  const changed = await inTransaction(context.db, async (tx) => {
    const row = await lockHeld(tx, lease)
    if (row.cancel_requested_at !== null) return endCancelled(tx, row, row.cancel_reason)
    await backToQueue(tx, row, { reason: `handed back: ${reason}`, delayMs: 0, crashed: false })
    return [row.id]
  })
  context.notifier.changed(changed)
}

/** The task under this lease, locked. Throws LeaseLost. */
export async function lockHeld(tx: Tx, lease: Lease): Promise<TaskRow> {
  const row = await tx.selectFrom('tasks').selectAll().where(isHeld(lease)).forUpdate().executeTakeFirst()
  assertHeld(lease, row)
  return row
}

function isUnproven(error: unknown): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === 'success_is_confirmed'
}
