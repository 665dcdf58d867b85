import { sql } from 'kysely'
import type { NewRun } from '../model/run.ts'
import type { NewTask, RunPlace } from '../model/task.ts'
import type { Pinned } from '../ports/lease.ts'
import { storableJson, storableText } from './storable.ts'
import type { Tx } from './transaction.ts'

/** Stores a run, and the base that its plan was read from. */
export async function insertRun(
  tx: Tx,
  { run, pinned }: { run: NewRun; pinned: Pinned | null },
): Promise<void> {
  await tx
    .insertInto('runs')
    .values({
      id: run.id,
      title: storableText(run.title),
      repo: storableText(run.repo),
      base: run.base,
      plan_path: run.planPath === null ? null : storableText(run.planPath),
      schedule: run.schedule,
      scheduled_for: run.scheduledFor === null ? null : new Date(run.scheduledFor),
      batches: storableJson(run.batches),
      starts_until: run.startsUntil === null ? null : new Date(run.startsUntil),
      max_cost_usd: run.maxCostUsd,
    })
    .execute()
  if (pinned === null) return
  // Tasks may name the branch, or leave it to the default.
  const asked = new Set([run.base ?? '', pinned.base])
  await tx
    .insertInto('run_pins')
    .values([...asked].map((base) => pinRow(run.id, 0, base, pinned)))
    .execute()
}

export function pinRow(runId: string, group: number, askedBase: string, { base, sha }: Pinned) {
  return { run_id: runId, batch_group: group, asked_base: askedBase, base, sha }
}

/**
 * Locks the runs of these tasks, so that no batch of them is let go meanwhile. Answers which of the tasks that are to
 * be done again are being done again already.
 */
export async function lockRuns(tx: Tx, tasks: readonly NewTask[]): Promise<readonly string[]> {
  const ids = new Set(tasks.flatMap(({ place }) => (place === null ? [] : [place.runId])))
  if (ids.size === 0) return []
  await sql`select from runs where id = any(${[...ids]}::text[]) order by id for update`.execute(tx)
  const again = tasks.flatMap(({ place, retryOf }) => (place === null || retryOf === null ? [] : [retryOf]))
  if (again.length === 0) return []
  const found = await sql<{ id: string }>`
    select distinct old.id from tasks old join tasks again on again.retry_of = old.id and again.run_id = old.run_id
    where old.id = any(${again}::text[])`.execute(tx)
  return found.rows.map((row) => row.id)
}

/** Which batches of the runs are not over, new tasks included. */
export interface OpenBatches {
  /** The batch that a task has to wait for; `null`: it may start. */
  before(place: RunPlace): string | null
}

/** To be asked once the runs are locked. */
export async function openBatches(tx: Tx, tasks: readonly NewTask[]): Promise<OpenBatches> {
  const open = new Map<string, Map<number, string>>()
  const add = (runId: string, number: number, batch: string) => {
    const batches = open.get(runId) ?? new Map<number, string>()
    open.set(runId, batches.set(number, batch))
  }
  for (const { place } of tasks) if (place !== null) add(place.runId, place.batchNumber, place.batch)
  if (open.size > 0) {
    const stored = await sql<{ run_id: string; batch_number: number; batch: string }>`
      select distinct run_id, batch_number, batch from tasks
      where run_id = any(${[...open.keys()]}::text[]) and state <> 'done'`.execute(tx)
    for (const row of stored.rows) add(row.run_id, row.batch_number, row.batch)
  }
  return {
    before({ runId, batchNumber }) {
      const earlier = [...(open.get(runId) ?? [])].filter(([number]) => number < batchNumber)
      return earlier.toSorted(([a], [b]) => b - a)[0]?.[1] ?? null
    },
  }
}
