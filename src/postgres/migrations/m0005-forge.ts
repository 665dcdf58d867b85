import { sql, type Kysely } from 'kysely'

/** What a task has reached on its forge, who is aboard the merge train, and what is to be told about tasks that end. */
export async function addForge(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table progress (
      task_id text collate "C" primary key,
      -- Where a webhook finds the task: its pull request, and the head that it waits for.
      slug text,
      number integer,
      head_sha text,
      data jsonb not null
    )`.execute(db)
  await sql`create index progress_pull_request on progress (slug, number)`.execute(db)
  await sql`create index progress_head on progress (head_sha)`.execute(db)
  // One row a repository and base: who merges there now. It counts as long as that attempt holds its lease.
  await sql`
    create table train (
      repo text not null,
      base text not null,
      task_id text collate "C" not null,
      attempt integer not null,
      primary key (repo, base)
    )`.execute(db)
  await sql`
    create table webhook_deliveries (
      id text primary key,
      received_at timestamptz not null default now()
    )`.execute(db)
  // What has ended and is not told yet; read by processes that have somebody to tell.
  await sql`
    create table notices (
      task_id text collate "C" primary key,
      tries integer not null default 0,
      due_at timestamptz not null default clock_timestamp(),
      ended_at timestamptz not null default clock_timestamp()
    )`.execute(db)
  await sql`create index notices_due on notices (due_at)`.execute(db)
  // In the database, since a task ends in many ways, and each is to be told.
  await sql`
    create function task_ended() returns trigger language plpgsql as $$
    begin
      delete from progress where task_id = new.id;
      delete from train where task_id = new.id;
      insert into notices (task_id) values (new.id) on conflict do nothing;
      return null;
    end $$`.execute(db)
  await sql`
    create trigger task_ended after insert or update of state on tasks
    for each row when (new.state = 'done') execute function task_ended()`.execute(db)
}
