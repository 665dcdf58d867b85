import { sql } from 'kysely'
import { prepared } from './prepared.ts'
import type { Tx } from './transaction.ts'

export interface WaitingTask {
  readonly id: string
  readonly attempt: number
  readonly pool: string
}

/**
 * The tasks, locked, of the batches that start now that these tasks have ended: all of the batches before them have.
 * Whoever ends the last task of a batch waits for the run's row here, and then sees what others ended.
 */
export async function lockNextBatches(tx: Tx, ended: readonly string[]): Promise<readonly WaitingTask[]> {
  const runs = await sql<{ id: string }>`
    ${prepared} select id from runs
    where id in (select run_id from tasks where id = any(${ended}::text[]) and run_id is not null)
      and exists (select from tasks where run_id = runs.id and state = 'held' and hold = 'batch')
    order by id for update`.execute(tx)
  if (runs.rows.length === 0) return []
  const ids = runs.rows.map((run) => run.id)
  const next = await sql<WaitingTask>`
    select id, attempt, pool from tasks
    where run_id = any(${ids}::text[]) and state = 'held' and hold = 'batch'
      and not exists (
        select from tasks earlier
        where earlier.run_id = tasks.run_id and earlier.state <> 'done'
          and earlier.batch_number < tasks.batch_number)
    order by id for update`.execute(tx)
  return next.rows
}

/** An ended task of each run whose next batch should have started: a backstop. */
export async function missedBatches(tx: Tx, limit: number): Promise<readonly string[]> {
  const found = await sql<{ id: string }>`
    with waiting as (
      select run_id, min(batch_number) as batch_number from tasks
      where state = 'held' and hold = 'batch' group by run_id
    )
    select ended.id from waiting cross join lateral (
      select id from tasks where run_id = waiting.run_id and state = 'done' limit 1) ended
    where not exists (
      select from tasks earlier
      where earlier.run_id = waiting.run_id and earlier.state <> 'done'
        and earlier.batch_number < waiting.batch_number)
    limit ${limit}`.execute(tx)
  return found.rows.map((row) => row.id)
}
