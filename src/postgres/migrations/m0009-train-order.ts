import { sql, type Kysely } from 'kysely'

/** Since when a task wants to go aboard the merge train; null: it does not, or is aboard. */
export async function orderTrain(db: Kysely<unknown>): Promise<void> {
  await sql`alter table tasks add column train_since timestamptz`.execute(db)
}
