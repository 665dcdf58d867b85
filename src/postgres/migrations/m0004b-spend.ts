import { sql, type Kysely } from 'kysely'

/** What tasks, runs and nights have cost, and what requests under way may still cost. */
export async function countSpending(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table spend (
      scope text collate "C" not null check (scope in ('task', 'run', 'night')),
      id text collate "C" not null,
      requests bigint not null default 0,
      input_tokens bigint not null default 0,
      cache_read_tokens bigint not null default 0,
      cache_write_tokens bigint not null default 0,
      output_tokens bigint not null default 0,
      cost_usd double precision not null default 0,
      -- Requests to models without a known price, which the cost lacks.
      unpriced_requests bigint not null default 0,
      reserved_usd double precision not null default 0,
      updated_at timestamptz not null default now(),
      primary key (scope, id)
    ) with (fillfactor = 70)`.execute(db)
}
