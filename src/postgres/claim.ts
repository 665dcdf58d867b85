import { sql } from 'kysely'
import { defaultTaskOptions } from '../model/task.ts'
import type { ClaimedTask } from '../ports/lease.ts'
import type { WorkerAbilities } from '../ports/worker.ts'
import { pickStatement, type Source } from './claim-query.ts'
import { prepared } from './prepared.ts'
import { reasons } from './reasons.ts'
import { enqueue } from './release.ts'
import { budgetsOf, runBaseOf } from './run-base.ts'
import { recordStates } from './state-events.ts'
import type { StoreContext } from './store-context.ts'
import { toTask, type TaskRow } from './task-row.ts'
import type { Tx } from './transaction.ts'

/** Key of the advisory lock under which tasks are claimed, one at a time: what limits count stays true until the commit. */
const claimLock = 7_450_931_846

// Nearly always the first task will do. Where not, many more are looked at: those that overlap leave the queue for it.
const shortFront = 16
const longFront = 512
// Each further round takes at least one task out of the queue, so this only bounds how long the lock is held.
const maxRounds = 50

/** Takes a task for each of these workers, or `null`, in one transaction. `changed`: other tasks that were moved by it. */
export async function pickAll(
  context: StoreContext,
  tx: Tx,
  workers: readonly WorkerAbilities[],
): Promise<{ rows: readonly (TaskRow | null)[]; changed: readonly string[] }> {
  await sql`
    ${prepared} select pg_advisory_xact_lock(${claimLock}), set_config('synchronous_commit', 'off', true)`.execute(
    tx,
  )
  const rows: (TaskRow | null)[] = []
  const changed: string[] = []
  for (const worker of workers) {
    const picked = await pick(context, tx, worker)
    rows.push(picked.row)
    changed.push(...picked.changed)
  }
  return { rows, changed }
}

/** Makes a committed claim safe, tells of it, and gathers what its worker has to know. */
export async function describeClaim(context: StoreContext, row: TaskRow | null): Promise<ClaimedTask | null> {
  if (row === null || row.worker_id === null) return null
  await recordStart(context.db, row)
  context.notifier.task(row.id)
  const [ownShas, needBranches, runBase, budgets] = await Promise.all([
    row.retry_of === null ? shasOn(row.branch, row.intended) : chainShas(context, row),
    row.needs.length === 0 ? [] : branchesOfNeeds(context, row),
    row.run_id === null || row.retry_of !== null || row.pinned_sha !== null
      ? null
      : runBaseOf(context.db, row),
    row.run_id === null ? [] : budgetsOf(context.db, row.run_id),
  ])
  return {
    lease: { taskId: row.id, attempt: row.attempt, workerId: row.worker_id },
    task: toTask(row),
    options: { ...defaultTaskOptions, ...row.options },
    pinned: row.pinned_sha === null || row.base === null ? null : { base: row.base, sha: row.pinned_sha },
    ownShas,
    needBranches,
    runBase,
    budgets,
  }
}

async function pick(
  context: StoreContext,
  tx: Tx,
  worker: WorkerAbilities,
): Promise<{ row: TaskRow | null; changed: readonly string[] }> {
  const changed: string[] = []
  let source: Source = 'front'
  for (let round = 0; round < maxRounds; round++) {
    const answer = await pickStatement(
      worker,
      context.options.leaseMs,
      source,
      round === 0 ? shortFront : longFront,
    ).execute(tx)
    const found = answer.rows[0]
    if (found === undefined) break
    const moved = [
      ...(found.overlaps.length === 0 ? [] : await holdOverlaps(tx, found.overlaps)),
      ...(found.due ? await promoteDue(tx, worker.pool ?? '') : []),
    ]
    changed.push(...moved)
    if (found.id !== null) return { row: found, changed }
    // What moved made room at the front, or came into the queue.
    if (moved.length > 0) continue
    if (source === 'lanes' || !found.more) break
    source = 'lanes'
  }
  return { row: null, changed }
}

/**
 * Tells that the attempt started. This commit waits for the disk, and the claim reached the log before it: the claim
 * is safe once this returns, and no other worker had to wait for the disk under the claim lock. Were both lost with
 * the database, nobody would have been told of the claim.
 */
async function recordStart(db: StoreContext['db'], row: TaskRow): Promise<void> {
  await recordStates(db, [
    {
      taskId: row.id,
      attempt: row.attempt,
      text: `running: attempt ${row.attempt}`,
      data: { state: 'running', hold: null, outcome: null, worker: row.worker_id },
    },
  ])
}

/** Takes tasks out of the queue until the running ones they overlap with have ended. */
async function holdOverlaps(
  tx: Tx,
  overlaps: readonly { id: string; by: string }[],
): Promise<readonly string[]> {
  // A running task that is locked here cannot end before these are seen to wait for it; one that has ended is no
  // longer in the way.
  const blockers = await sql<{ id: string }>`
    select id from tasks where id = any(${overlaps.map((overlap) => overlap.by)}::text[]) and state = 'running'
    order by id for share`.execute(tx)
  const running = new Set(blockers.rows.map((row) => row.id))
  const waiting = overlaps.filter((overlap) => running.has(overlap.by))
  if (waiting.length === 0) return []
  const reasonOf = new Map(waiting.map((overlap) => [overlap.id, reasons.overlap(overlap.by)]))
  const held = await sql<{ id: string; attempt: number }>`
    update tasks set state = 'held', hold = 'overlap', reason = given.reason, because_of = given.by
    from unnest(
      ${waiting.map((overlap) => overlap.id)}::text[],
      ${waiting.map((overlap) => overlap.by)}::text[],
      ${[...reasonOf.values()]}::text[]) as given (id, by, reason)
    where tasks.id = given.id and tasks.state = 'queued'
    returning tasks.id, tasks.attempt`.execute(tx)
  await recordStates(
    tx,
    held.rows.map((row) => ({
      taskId: row.id,
      attempt: row.attempt,
      text: `held: ${reasonOf.get(row.id)}`,
      data: { state: 'held', hold: 'overlap', outcome: null },
    })),
  )
  return held.rows.map((row) => row.id)
}

/** Queues the tasks whose time of waiting is over. Answers their ids. */
export async function promoteDue(tx: Tx, pool: string | null): Promise<readonly string[]> {
  const due = await sql<{ id: string; attempt: number; pool: string }>`
    select id, attempt, pool from tasks
    where state = 'held' and hold in ('retry', 'quota', 'disk', 'forge', 'train') and due_at <= clock_timestamp()
      and (${pool}::text is null or pool = ${pool})
    order by id limit 1000 for update skip locked`.execute(tx)
  if (due.rows.length > 0) await enqueue(tx, due.rows)
  return due.rows.map((row) => row.id)
}

function shasOn(branch: string, intended: readonly string[]): readonly string[] {
  const shas = intended.flatMap((entry) => {
    const space = entry.indexOf(' ')
    return entry.slice(space + 1) === branch ? [entry.slice(0, space)] : []
  })
  return [...new Set(shas)]
}

/** What this task and those that it does again meant to push to this branch of this repository, oldest first. */
async function chainShas(context: StoreContext, row: TaskRow): Promise<readonly string[]> {
  const chain = await sql<{ intended: readonly string[] }>`
    with recursive chain as (
      select id, retry_of, repo, intended, 0 as depth from tasks where id = ${row.id}
      union all
      select tasks.id, tasks.retry_of, tasks.repo, tasks.intended, chain.depth + 1
      from chain join tasks on tasks.id = chain.retry_of
      where chain.depth < 1000
    )
    select intended from chain where repo = ${row.repo} order by depth desc`.execute(context.db)
  return shasOn(
    row.branch,
    chain.rows.flatMap((link) => link.intended),
  )
}

async function branchesOfNeeds(context: StoreContext, row: TaskRow): Promise<ClaimedTask['needBranches']> {
  const found = await sql<ClaimedTask['needBranches'][number]>`
    select id as "taskId", repo, branch, evidence ->> 'headSha' as "headSha" from tasks
    where id = any(${row.needs}::text[]) and repo = ${row.repo} and outcome in ('pushed', 'open')
    order by array_position(${row.needs}::text[], id)`.execute(context.db)
  return found.rows
}
