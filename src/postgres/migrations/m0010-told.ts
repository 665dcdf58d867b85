import { sql, type Kysely } from 'kysely'

/** When a forge last told of what a running task is about: what that has looked at may be old by then. */
export async function keepTold(db: Kysely<unknown>): Promise<void> {
  await sql`alter table tasks add column told_at timestamptz`.execute(db)
}
