import { sql } from 'kysely'
import type { Evidence } from '../model/evidence.ts'
import type { RuntimeName } from '../model/submission.ts'
import type { Lease, Pinned, SavedCandidate, SavedWork } from '../ports/lease.ts'
import { prepared } from './prepared.ts'
import { storableJson } from './storable.ts'
import type { StoreContext } from './store-context.ts'
import { assertHeld, isHeld } from './task-row.ts'

export async function pin(
  context: StoreContext,
  lease: Lease,
  pinned: Pinned,
  runtime: RuntimeName,
): Promise<void> {
  const written = await sql<{ pinned_sha: string }>`
    ${prepared} update tasks set
      base = case when pinned_sha is null then ${pinned.base} else base end,
      pinned_sha = coalesce(pinned_sha, ${pinned.sha}),
      runtime = ${runtime}
    where ${isHeld(lease)} returning pinned_sha`.execute(context.db)
  const row = written.rows[0]
  assertHeld(lease, row)
  if (row.pinned_sha === pinned.sha) return
  // A mistake of the caller: all attempts work on one base.
  throw new Error(`task ${lease.taskId} is pinned to ${row.pinned_sha} and cannot be pinned to ${pinned.sha}`)
}

export async function intendPush(
  context: StoreContext,
  lease: Lease,
  push: { branch: string; sha: string },
): Promise<void> {
  const entry = `${push.sha} ${push.branch}`
  const written = await sql<{ id: string }>`
    ${prepared} update tasks set
      branch = ${push.branch},
      intended = case when ${entry} = any (intended) then intended else array_append(intended, ${entry}) end
    where ${isHeld(lease)} returning id`.execute(context.db)
  assertHeld(lease, written.rows[0])
}

export async function saveWork(context: StoreContext, lease: Lease, work: SavedWork): Promise<void> {
  const written = await sql<{ task_id: string }>`
    ${prepared} with lease as (select id from tasks where ${isHeld(lease)} for update)
    insert into saved_work (task_id, head_sha, bundle, evidence, conversation_id, conversation)
    select id, ${work.headSha}, ${work.bundle}::bytea, ${storableJson(work.evidence)}::jsonb,
      ${work.conversation?.id ?? null}, ${work.conversation?.archive ?? null}::bytea from lease
    on conflict (task_id) do update set
      head_sha = excluded.head_sha, bundle = excluded.bundle, evidence = excluded.evidence,
      conversation_id = excluded.conversation_id, conversation = excluded.conversation
    returning task_id`.execute(context.db)
  assertHeld(lease, written.rows[0])
}

export async function savedWork(context: StoreContext, lease: Lease): Promise<SavedWork | null> {
  const row = await context.db
    .selectFrom('saved_work')
    .selectAll()
    .where('task_id', '=', lease.taskId)
    .executeTakeFirst()
  return row === undefined ? null : workOf(row)
}

function workOf(row: {
  head_sha: string
  bundle: Buffer
  evidence: Evidence
  conversation_id: string | null
  conversation: Buffer | null
}): SavedWork {
  const { conversation_id: id, conversation: archive } = row
  return {
    headSha: row.head_sha,
    bundle: row.bundle,
    evidence: row.evidence,
    conversation: id === null || archive === null ? null : { id, archive },
  }
}

export async function saveCandidate(
  context: StoreContext,
  lease: Lease,
  { number, work }: SavedCandidate,
): Promise<void> {
  const written = await sql<{ task_id: string }>`
    ${prepared} with lease as (select id from tasks where ${isHeld(lease)} for update)
    insert into saved_candidates (task_id, candidate, head_sha, bundle, evidence, conversation_id, conversation)
    select id, ${number}::integer, ${work.headSha}, ${work.bundle}::bytea, ${storableJson(work.evidence)}::jsonb,
      ${work.conversation?.id ?? null}, ${work.conversation?.archive ?? null}::bytea from lease
    on conflict (task_id, candidate) do update set head_sha = excluded.head_sha
    returning task_id`.execute(context.db)
  assertHeld(lease, written.rows[0])
}

export async function savedCandidates(
  context: StoreContext,
  lease: Lease,
): Promise<readonly SavedCandidate[]> {
  const rows = await context.db
    .selectFrom('saved_candidates')
    .selectAll()
    .where('task_id', '=', lease.taskId)
    .orderBy('id')
    .execute()
  return rows.map((row) => ({ number: row.candidate, work: workOf(row) }))
}

export async function dropCandidates(context: StoreContext, lease: Lease, kept: number): Promise<void> {
  await sql`${prepared} delete from saved_candidates where task_id = ${lease.taskId} and candidate <> ${kept}
    and exists (select from tasks where ${isHeld(lease)})`.execute(context.db)
}
