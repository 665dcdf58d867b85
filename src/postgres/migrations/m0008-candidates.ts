import { sql, type Kysely } from 'kysely'

/** What several agents at the same work handed over, until one of them is kept. */
export async function saveCandidates(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table saved_candidates (
      task_id text collate "C" not null,
      -- Its number among them, from 1.
      candidate integer not null,
      -- In the order in which they ended.
      id bigint generated always as identity,
      head_sha text not null,
      bundle bytea not null,
      evidence jsonb not null,
      conversation_id text,
      conversation bytea,
      primary key (task_id, candidate)
    )`.execute(db)
  await sql`alter table saved_candidates alter column bundle set storage external`.execute(db)
  await sql`alter table saved_candidates alter column conversation set storage external`.execute(db)
}
