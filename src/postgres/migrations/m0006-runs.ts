import { sql, type Kysely } from 'kysely'

/** Runs of plans. How a run stands is nowhere stored: it is what its tasks say. */
export async function addRuns(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table runs (
      id text collate "C" primary key,
      title text not null,
      repo text not null,
      base text,
      -- Where the plan was read from; null where it came with the request.
      plan_path text,
      -- The schedule that started it.
      schedule text,
      -- [{"id", "title"}] of all batches, in their order.
      batches jsonb not null,
      -- No task starts for the first time after this.
      starts_until timestamptz,
      -- US dollars that all its tasks together may cost.
      max_cost_usd double precision,
      created_at timestamptz not null default now()
    )`.execute(db)
  // What the tasks of a run start from, so that those that start together start from the same. Group 0: the base as the
  // run found it; others: the base as the batch of that number found it, after earlier ones had merged into it.
  await sql`
    create table run_pins (
      run_id text collate "C" not null references runs on delete cascade,
      batch_group integer not null,
      -- As it was asked for; '' is the default branch.
      asked_base text not null,
      base text not null,
      sha text not null,
      primary key (run_id, batch_group, asked_base)
    )`.execute(db)
  await sql`
    alter table tasks
      -- 0 is the first batch of the run.
      add batch_number integer,
      -- Its place among all tasks of the plan, from 0.
      add plan_order integer,
      -- The id that the plan gives it.
      add plan_task text`.execute(db)
  await sql`alter table tasks drop constraint tasks_hold_check`.execute(db)
  await sql`
    alter table tasks add constraint tasks_hold_check
    check (hold in ('needs', 'batch', 'overlap', 'retry', 'pause', 'quota', 'disk', 'forge', 'train'))`.execute(
    db,
  )
  await sql`
    alter table tasks add constraint run_has_batch
    check (num_nulls(run_id, batch, batch_number, plan_order, plan_task) in (0, 5))`.execute(db)
  await sql`create index tasks_batch on tasks (run_id, batch_number) where state = 'held' and hold = 'batch'`.execute(
    db,
  )
  await sql`create index tasks_open on tasks (run_id, batch_number) where state <> 'done' and run_id is not null`.execute(
    db,
  )
}
