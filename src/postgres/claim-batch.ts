import type { ClaimedTask } from '../ports/lease.ts'
import type { WorkerAbilities } from '../ports/worker.ts'
import { describeClaim, pickAll } from './claim.ts'
import type { StoreContext } from './store-context.ts'
import { inTransaction } from './transaction.ts'

interface Waiting {
  readonly worker: WorkerAbilities
  readonly resolve: (claimed: Promise<ClaimedTask | null>) => void
  readonly reject: (error: unknown) => void
}

/**
 * The claims of one process. Those that come while one is under way share the next transaction: claims go one at a
 * time anyway, over all processes, and most of the time of one is the way to the database and back.
 */
export function createClaims(
  context: StoreContext,
): (worker: WorkerAbilities) => Promise<ClaimedTask | null> {
  let waiting: Waiting[] = []
  let working = false

  async function work(): Promise<void> {
    working = true
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        const { rows, changed } = await inTransaction(context.db, (tx) =>
          pickAll(
            context,
            tx,
            batch.map((one) => one.worker),
          ),
        )
        for (const id of changed) context.notifier.task(id)
        for (const [index, one] of batch.entries()) one.resolve(describeClaim(context, rows[index] ?? null))
      } catch (error) {
        for (const one of batch) one.reject(error)
      }
    }
    working = false
  }

  return (worker) =>
    new Promise((resolve, reject) => {
      waiting.push({ worker, resolve, reject })
      if (!working) void work()
    })
}
