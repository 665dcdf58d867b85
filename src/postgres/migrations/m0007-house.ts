import { sql, type Kysely } from 'kysely'

/** What the dashboard stands on: who is signed in, what tokens may do, and the ways that its pages look for tasks. */
export async function furnishHouse(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table tokens add column role text not null default 'operator'
    check (role in ('operator', 'reader'))`.execute(db)
  await sql`
    create table sessions (
      id text primary key,
      -- SHA-256 of the cookie's value, of the one before it, and of the token that was exchanged for them.
      secret_hash bytea not null unique,
      previous_hash bytea unique,
      previous_until timestamptz,
      bearer_hash bytea not null,
      -- What posts of this session's pages carry; survives the rotation of the cookie.
      form_key text not null,
      created_at timestamptz not null default now(),
      rotated_at timestamptz not null default now(),
      expires_at timestamptz not null
    )`.execute(db)
  // Events of many tasks are followed in the order of their ids.
  await sql`create index events_order on events (id)`.execute(db)
  await sql`create index tasks_ended on tasks (ended_at) where state = 'done'`.execute(db)
  await sql`create index tasks_retry_of on tasks (retry_of) where retry_of is not null`.execute(db)
  // Only columns that never change: an update of any other still touches no index.
  await sql`
    create index tasks_words on tasks using gin (to_tsvector('simple', left(prompt, 4000) || ' ' || repo))`.execute(
    db,
  )
}
