import { sql, type Kysely } from 'kysely'

/**
 * The queue. The constraints say what can never be true, whatever a program does: that is why they are here and not
 * only in code. Ids sort as bytes (`collate "C"`), wherever the database comes from.
 */
export async function createQueue(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table tasks (
      id text collate "C" primary key,
      state text not null check (state in ('queued', 'held', 'running', 'done')),
      hold text check (hold in ('needs', 'overlap', 'retry', 'pause')),
      outcome text,
      reason text,
      -- '' is the pool that everyone shares.
      pool text collate "C" not null,
      -- Hash of what decides which worker may claim it: repository, agent, runtime, machine.
      lane text collate "C" not null,
      -- Set where the repository is a path, which is the same only on the machine that submitted it.
      machine_id text,
      repo text not null,
      base text,
      branch text not null,
      prompt text not null,
      agent text not null,
      runtime text not null,
      priority integer not null,
      run_id text,
      batch text,
      needs text[] not null,
      paths text[] not null,
      path_prefixes text[] not null,
      retry_of text collate "C",
      options jsonb not null,
      -- What was asked for where the row changes it later: base, branch, runtime.
      asked jsonb not null,
      attempt integer not null default 0 check (attempt >= 0),
      crashes integer not null default 0 check (crashes >= 0),
      worker_id text,
      lease_until timestamptz,
      -- When a task held for a retry may start.
      due_at timestamptz,
      -- The running task that an overlap waits for, or the task whose bad end made this one skipped.
      because_of text collate "C",
      cancel_requested_at timestamptz,
      cancel_reason text,
      pinned_sha text,
      -- 'SHA branch' of everything that was about to be pushed, oldest first.
      intended text[] not null default '{}',
      output_bytes bigint not null default 0,
      evidence jsonb,
      created_at timestamptz not null default now(),
      started_at timestamptz,
      ended_at timestamptz,
      constraint done_has_outcome check ((state = 'done') = (outcome is not null)),
      constraint done_has_end check ((state = 'done') = (ended_at is not null)),
      constraint done_has_evidence check (state <> 'done' or evidence is not null),
      constraint running_has_worker check ((state = 'running') = (worker_id is not null)),
      constraint running_has_lease check ((state = 'running') = (lease_until is not null)),
      constraint held_has_hold check ((state = 'held') = (hold is not null)),
      constraint success_is_confirmed check (
        outcome is null or outcome not in ('pushed', 'open', 'merged') or (
          evidence ->> 'confirmedAt' is not null and
          coalesce((evidence ->> 'headSha') || ' ' || branch = any (intended), false)
        )
      )
    ) with (
      -- Room for new versions of a row on its own page: heartbeats then touch no index.
      fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05
    )`.execute(db)
  await sql`create index tasks_queue on tasks (pool, priority desc, id) where state = 'queued'`.execute(db)
  await sql`create index tasks_lanes on tasks (pool, lane, priority desc, id) where state = 'queued'`.execute(
    db,
  )
  await sql`create index tasks_running on tasks (id) where state = 'running'`.execute(db)
  await sql`create index tasks_held on tasks (hold, id) where state = 'held'`.execute(db)
  await sql`create index tasks_private on tasks (pool) where pool <> '' and state <> 'done'`.execute(db)
  await sql`create index tasks_outcome on tasks (outcome, id) where state = 'done'`.execute(db)
  // A path can be longer than an index entry may be.
  await sql`create index tasks_repo on tasks (hashtextextended(repo, 0), id)`.execute(db)
  await sql`create index tasks_run on tasks (run_id, id) where run_id is not null`.execute(db)

  await sql`
    create table task_needs (
      task_id text collate "C" not null references tasks on delete cascade,
      need_id text collate "C" not null references tasks on delete cascade,
      primary key (task_id, need_id)
    )`.execute(db)
  await sql`create index task_needs_need on task_needs (need_id)`.execute(db)

  await sql`
    create table events (
      id bigint generated always as identity,
      task_id text collate "C" not null,
      attempt integer not null,
      at timestamptz not null default clock_timestamp(),
      type text not null,
      step text,
      text text not null,
      data jsonb not null,
      primary key (task_id, id)
    )`.execute(db)

  await sql`
    create table saved_work (
      task_id text collate "C" primary key,
      head_sha text not null,
      bundle bytea not null,
      evidence jsonb not null
    )`.execute(db)
  await sql`
    create table diffs (
      task_id text collate "C" primary key,
      gzip bytea not null
    )`.execute(db)
  // Both hold what is compressed already.
  await sql`alter table saved_work alter column bundle set storage external`.execute(db)
  await sql`alter table diffs alter column gzip set storage external`.execute(db)

  await sql`
    create table pools (
      id text collate "C" primary key,
      alive_until timestamptz not null
    )`.execute(db)
  await sql`
    create table workers (
      id text primary key,
      host text not null,
      pid integer not null,
      slots integer not null,
      seen_at timestamptz not null
    )`.execute(db)
  await sql`
    create table idempotency_keys (
      key text primary key,
      request_hash text not null,
      task_ids text[] not null,
      created_at timestamptz not null default now()
    )`.execute(db)
  await sql`create index idempotency_keys_age on idempotency_keys (created_at)`.execute(db)
  await sql`
    create table settings (
      only_row boolean primary key default true check (only_row),
      paused boolean not null default false,
      limit_global integer check (limit_global >= 0),
      limit_per_repository integer check (limit_per_repository >= 0),
      limit_per_agent integer check (limit_per_agent >= 0)
    )`.execute(db)
  await sql`insert into settings default values`.execute(db)
  await sql`
    create table tokens (
      id text primary key,
      name text not null,
      hash bytea not null unique,
      created_at timestamptz not null default now(),
      last_used_at timestamptz
    )`.execute(db)
}
