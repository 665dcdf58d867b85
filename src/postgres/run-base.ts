import { sql, type Kysely } from 'kysely'
import type { Budget } from '../ports/spend.ts'
import { LeaseLost, type Lease, type Pinned, type RunBase } from '../ports/lease.ts'
import type { Schema } from './schema.ts'
import type { StoreContext } from './store-context.ts'
import { isHeld, type TaskRow } from './task-row.ts'

/**
 * Where a task of a run starts: on the base as the run found it, until something of an earlier batch was merged; then
 * on the base as its own batch finds it. `null`: what it needs was merged within its batch, and the base is asked anew.
 */
export async function runBaseOf(db: Kysely<Schema>, row: TaskRow): Promise<RunBase | null> {
  const found = await sql<{
    merged_before: boolean
    merged_need: boolean
    first: boolean
    group0: Pinned | null
    own: Pinned | null
  }>`
    select
      exists (
        select from tasks earlier where earlier.run_id = ${row.run_id} and earlier.outcome = 'merged'
          and earlier.batch_number < ${row.batch_number}) as merged_before,
      exists (
        select from tasks need where need.id = any(${row.needs}::text[]) and need.outcome = 'merged'
          and (need.run_id is distinct from ${row.run_id} or need.batch_number = ${row.batch_number})) as merged_need,
      not exists (
        select from tasks earlier where earlier.run_id = ${row.run_id}
          and earlier.batch_number < ${row.batch_number}) as first,
      ${pinOf(row, 0)} as group0,
      ${pinOf(row, row.batch_number ?? 0)} as own`.execute(db)
  const facts = found.rows[0]
  if (facts === undefined || facts.merged_need) return null
  return facts.merged_before
    ? { group: row.batch_number ?? 0, firstBatch: false, pinned: facts.own }
    : { group: 0, firstBatch: facts.first, pinned: facts.group0 }
}

/** A run that a schedule started is a night. */
export async function budgetsOf(db: Kysely<Schema>, runId: string): Promise<readonly Budget[]> {
  const run = await db
    .selectFrom('runs')
    .select(['schedule', 'max_cost_usd'])
    .where('id', '=', runId)
    .executeTakeFirst()
  if (run === undefined) return []
  return [{ scope: run.schedule === null ? 'run' : 'night', id: runId, capUsd: run.max_cost_usd }]
}

function pinOf(row: TaskRow, group: number) {
  return sql`(
    select jsonb_build_object('base', base, 'sha', sha) from run_pins
    where run_id = ${row.run_id} and batch_group = ${group} and asked_base = ${row.asked.base ?? ''})`
}

export async function pinRun(
  context: StoreContext,
  lease: Lease,
  group: number,
  pinned: Pinned,
): Promise<Pinned> {
  await sql`
    insert into run_pins (run_id, batch_group, asked_base, base, sha)
    select run_id, ${group}, coalesce(asked ->> 'base', ''), ${pinned.base}, ${pinned.sha}
    from tasks where ${isHeld(lease)} and run_id is not null
    on conflict do nothing`.execute(context.db)
  const kept = await sql<Pinned>`
    select run_pins.base, run_pins.sha from run_pins join tasks on tasks.run_id = run_pins.run_id
    where ${isHeld(lease)} and batch_group = ${group} and asked_base = coalesce(asked ->> 'base', '')`.execute(
    context.db,
  )
  const [first] = kept.rows
  if (first === undefined) throw new LeaseLost(lease)
  return first
}
