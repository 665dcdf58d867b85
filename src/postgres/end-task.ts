import { sql, type RawBuilder } from 'kysely'
import { noEvidence, type Evidence } from '../model/evidence.ts'
import { isGood } from '../model/outcome.ts'
import type { Ending } from '../ports/lease.ts'
import { prepared } from './prepared.ts'
import { releaseAfter } from './release.ts'
import { storableJson, storableText } from './storable.ts'
import type { TaskRow } from './task-row.ts'
import type { Tx } from './transaction.ts'

/**
 * Ends the task that the condition finds, keeps its diff and drops its saved work, which a person may want to fetch
 * where it ended badly: then `sweep` drops it, after a while. `undefined`: it found none that had
 * not ended. What waited for it is let go by `releaseAfter`, in a statement of its own.
 */
export async function endTask(
  tx: Tx,
  condition: RawBuilder<boolean>,
  ending: Ending,
  gzippedDiff: Buffer | null,
): Promise<string | undefined> {
  const reason = ending.reason === null ? null : storableText(ending.reason)
  const text = reason === null ? ending.outcome : `${ending.outcome}: ${reason}`
  const ended = await sql<{ id: string }>`
    ${prepared} with ended as (
      update tasks set
        state = 'done', hold = null, outcome = ${ending.outcome}, reason = ${reason},
        evidence = ${storableJson(ending.evidence)}::jsonb, ended_at = clock_timestamp(),
        worker_id = null, lease_until = null, due_at = null, because_of = null
      where ${condition} and state <> 'done'
      returning id, attempt
    ), logged as (
      insert into events (task_id, attempt, type, text, data)
      select id, attempt, 'state', ${text}::text,
        jsonb_build_object('state', 'done', 'hold', null, 'outcome', ${ending.outcome}::text)
      from ended
    ), kept as (
      insert into diffs (task_id, gzip)
      select id, ${gzippedDiff}::bytea from ended where ${gzippedDiff}::bytea is not null
    ), dropped as (
      delete from saved_work using ended where saved_work.task_id = ended.id and ${isGood(ending.outcome)}
    ), dropped_candidates as (
      delete from saved_candidates using ended where saved_candidates.task_id = ended.id
    )
    select id from ended`.execute(tx)
  return ended.rows[0]?.id
}

/** Ends a task, whose row the caller has locked, that was cancelled. Answers the ids of all tasks that changed. */
export async function endCancelled(tx: Tx, row: TaskRow, reason: string | null): Promise<readonly string[]> {
  const ending: Ending = { outcome: 'cancelled', reason, evidence: await evidenceSoFar(tx, row.id) }
  await endTask(tx, sql<boolean>`tasks.id = ${row.id}`, ending, null)
  return [row.id, ...(await releaseAfter(tx, [row.id]))]
}

/** What an attempt that did not end by itself had proven until it saved its work. */
export async function evidenceSoFar(tx: Tx, taskId: string): Promise<Evidence> {
  const saved = await tx
    .selectFrom('saved_work')
    .select('evidence')
    .where('task_id', '=', taskId)
    .executeTakeFirst()
  return saved?.evidence ?? noEvidence()
}
