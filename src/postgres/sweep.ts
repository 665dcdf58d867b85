import { sql } from 'kysely'
import { showHolds } from './account-holds.ts'
import { promoteDue } from './claim.ts'
import { endCancelled, evidenceSoFar } from './end-task.ts'
import { forgetOldKeys } from './idempotency.ts'
import { showDisks } from './disk-hold.ts'
import { showPause } from './pause.ts'
import { reasons } from './reasons.ts'
import { missedBatches } from './release-batch.ts'
import { releaseAfter } from './release.ts'
import { retryOrEnd } from './retry.ts'
import type { StoreContext } from './store-context.ts'
import type { TaskRow } from './task-row.ts'
import { inTransaction, type Tx } from './transaction.ts'
import { forgetOldWebhooks } from './webhooks.ts'

// Each task is a transaction of its own: one that cannot be ended must not keep the others.
const maxPerSweep = 1000

export async function sweep(context: StoreContext): Promise<number> {
  const changed = [
    ...(await takeBackExpired(context)),
    ...(await endDeadPools(context)),
    ...(await closeWindows(context)),
    ...(await releaseMissed(context)),
    ...(await inTransaction(context.db, (tx) => promoteDue(tx, null))),
  ]
  context.notifier.changed(changed)
  const paused = (await showPause(context)) + (await showDisks(context))
  const held = await showHolds(context)
  await inTransaction(context.db, (tx) => forget(tx, context.options.keepWorkMs))
  await forgetOldWebhooks(context)
  return new Set(changed).size + paused + held
}

async function takeBackExpired(context: StoreContext): Promise<readonly string[]> {
  return eachTask(
    context,
    sql`select id from tasks where state = 'running' and lease_until <= clock_timestamp() limit ${maxPerSweep}`,
    async (tx, id) => {
      const row = await lock(tx, id, sql<boolean>`state = 'running' and lease_until <= clock_timestamp()`)
      if (row === undefined) return []
      // Nobody else would ever claim it.
      if (row.pool !== '' && !(await isPoolAlive(tx, row.pool))) {
        return endCancelled(tx, row, row.cancel_reason ?? reasons.runGone)
      }
      const reason = reasons.workerGone(row.attempt)
      const evidence = await evidenceSoFar(tx, id)
      const ending = { outcome: 'error' as const, reason: reasons.givenUp(reason, row.crashes), evidence }
      const failure = { reason, finally: ending, expired: true }
      return (await retryOrEnd(tx, row, failure, context.options.expiredBackoffMs)).changed
    },
  )
}

async function endDeadPools(context: StoreContext): Promise<readonly string[]> {
  // The newest first: dependents are ended before their needs, and not skipped by the end of those.
  const changed = await eachTask(
    context,
    sql`select tasks.id from tasks left join pools on pools.id = tasks.pool
      where tasks.pool <> '' and tasks.state in ('queued', 'held')
        and (pools.id is null or pools.alive_until <= clock_timestamp())
      order by tasks.id desc limit ${maxPerSweep}`,
    async (tx, id) => {
      const row = await lock(tx, id, sql<boolean>`state in ('queued', 'held')`)
      if (row === undefined || (await isPoolAlive(tx, row.pool))) return []
      return endCancelled(tx, row, reasons.runGone)
    },
  )
  await sql`
    delete from pools where alive_until <= clock_timestamp()
      and not exists (select from tasks where pool = pools.id and pool <> '' and state <> 'done')`.execute(
    context.db,
  )
  return changed
}

/** Ends what has never started of runs whose window has closed. */
async function closeWindows(context: StoreContext): Promise<readonly string[]> {
  const isLate = sql<boolean>`state in ('queued', 'held') and attempt = 0`
  // The newest first, as above.
  return eachTask(
    context,
    sql`select tasks.id from runs join tasks on tasks.run_id = runs.id and tasks.state <> 'done'
      where runs.starts_until <= clock_timestamp() and ${isLate}
      order by tasks.id desc limit ${maxPerSweep}`,
    async (tx, id) => {
      const row = await lock(tx, id, isLate)
      return row === undefined ? [] : endCancelled(tx, row, reasons.windowClosed)
    },
  )
}

/** A backstop: what waits for a task that is no longer in its way is let go by the end of that task itself. */
async function releaseMissed(context: StoreContext): Promise<readonly string[]> {
  return inTransaction(context.db, async (tx) => {
    const ended = await sql<{ id: string }>`
      select need.id from tasks waiting
        join task_needs on task_needs.task_id = waiting.id
        join tasks need on need.id = task_needs.need_id
      where waiting.state = 'held' and waiting.hold = 'needs' and need.state = 'done'
        and (need.outcome not in ('merged', 'open', 'pushed', 'no_changes') or not exists (
          select from task_needs others join tasks other on other.id = others.need_id
          where others.task_id = waiting.id and other.state <> 'done'))
      union
      select waiting.because_of from tasks waiting
        left join tasks blocker on blocker.id = waiting.because_of and blocker.state = 'running'
      where waiting.state = 'held' and waiting.hold = 'overlap' and blocker.id is null
      limit ${maxPerSweep}`.execute(tx)
    const batches = await missedBatches(tx, maxPerSweep)
    return releaseAfter(tx, [...ended.rows.map((row) => row.id), ...batches])
  })
}

async function forget(tx: Tx, keepWorkMs: number): Promise<void> {
  await sql`delete from account_holds where until < now() - interval '1 day'`.execute(tx)
  await sql`delete from workers where seen_at < now() - interval '1 hour'`.execute(tx)
  await forgetOldKeys(tx)
  await sql`
    delete from saved_work using tasks
    where tasks.id = saved_work.task_id and tasks.state = 'done'
      and tasks.ended_at <= now() - ${keepWorkMs} * interval '1 ms'`.execute(tx)
}

async function eachTask(
  context: StoreContext,
  found: ReturnType<typeof sql>,
  change: (tx: Tx, id: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const tasks = (await found.execute(context.db)).rows as readonly { id: string }[]
  const changed: string[] = []
  for (const task of tasks) {
    changed.push(...(await inTransaction(context.db, (tx) => change(tx, task.id))))
  }
  return changed
}

/** Locks the task, if the condition still holds and nobody else is at it. */
async function lock(
  tx: Tx,
  id: string,
  condition: ReturnType<typeof sql<boolean>>,
): Promise<TaskRow | undefined> {
  return tx
    .selectFrom('tasks')
    .selectAll()
    .where('id', '=', id)
    .where(condition)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst()
}

async function isPoolAlive(tx: Tx, pool: string): Promise<boolean> {
  const found = await sql`
    select from pools where id = ${pool} and alive_until > clock_timestamp() for share`.execute(tx)
  return found.rows.length > 0
}
