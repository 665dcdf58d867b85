import type { Kysely, Transaction } from 'kysely'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Schema } from './schema.ts'
import { isConflict } from './transient.ts'

export type Tx = Transaction<Schema>

const maxTries = 5

/** Runs `work` in one transaction; after a deadlock or a conflict again, from its beginning. */
export async function inTransaction<T>(db: Kysely<Schema>, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(work)
    } catch (error) {
      if (!isConflict(error) || attempt === maxTries) throw error
      // Not at the same moment as the one it collided with.
      await sleep(Math.random() * 20 * attempt)
    }
  }
}
