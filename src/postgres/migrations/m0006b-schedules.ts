import { sql, type Kysely } from 'kysely'

/** Schedules, and one row for each time of one that has come. */
export async function addSchedules(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table schedules (
      name text collate "C" primary key,
      definition jsonb not null,
      paused boolean not null default false,
      created_at timestamptz not null default now(),
      -- Times up to here have been looked at.
      considered_until timestamptz not null default now()
    )`.execute(db)
  await sql`
    create table firings (
      schedule text collate "C" not null references schedules on delete cascade,
      fire_at timestamptz not null,
      state text not null check (state in ('pending', 'waiting', 'started', 'skipped', 'failed')),
      run_id text,
      reason text,
      -- Whoever took it has until then; or when to look at it again.
      free_at timestamptz not null default now(),
      primary key (schedule, fire_at)
    )`.execute(db)
  await sql`alter table runs add scheduled_for timestamptz`.execute(db)
  await sql`create index firings_open on firings (free_at) where state in ('pending', 'waiting')`.execute(db)
  await sql`create index runs_schedule on runs (schedule, id) where schedule is not null`.execute(db)
  await sql`create index runs_window on runs (starts_until) where starts_until is not null`.execute(db)
}
