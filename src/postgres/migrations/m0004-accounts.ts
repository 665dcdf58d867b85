import { sql, type Kysely } from 'kysely'

/**
 * Accounts of model providers, which a limit can close for a while: everything that works with such an account waits
 * until then. Which account that is depends on the worker; a task knows only its provider.
 */
export async function addAccounts(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table account_holds (
      account text collate "C" primary key,
      until timestamptz not null,
      reason text not null
    )`.execute(db)
  // The provider that the task's agent talks to; null: none, or none that is known before it starts.
  await sql`alter table tasks add column provider text collate "C"`.execute(db)
  // 'provider account' of each login that the worker has, and the agents that work there.
  await sql`alter table workers add column accounts text[] not null default '{}'`.execute(db)
  await sql`alter table workers add column agents text[] not null default '{}'`.execute(db)
  await sql`alter table saved_work add column conversation_id text`.execute(db)
  await sql`alter table saved_work add column conversation bytea`.execute(db)
  await sql`alter table saved_work alter column conversation set storage external`.execute(db)
}
