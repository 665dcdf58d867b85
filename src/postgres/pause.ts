import { sql } from 'kysely'
import { reasons } from './reasons.ts'
import { eventsOfChanged } from './state-events.ts'
import type { StoreContext } from './store-context.ts'
import type { Tx } from './transaction.ts'

/** Whether the shared pool is paused; holds that answer until the transaction ends. */
export async function isPaused(tx: Tx): Promise<boolean> {
  const found = await tx.selectFrom('settings').select('paused').forShare().executeTakeFirstOrThrow()
  return found.paused
}

/** Stops the claims of the shared pool; its queued tasks say so. */
export async function pause(context: StoreContext): Promise<void> {
  await context.db.updateTable('settings').set({ paused: true }).execute()
  await showPause(context)
}

export async function resume(context: StoreContext): Promise<void> {
  await context.db.updateTable('settings').set({ paused: false }).execute()
  await showPause(context)
}

/**
 * Brings the states of waiting tasks in line with the setting, and answers how many changed. In a statement of its
 * own, after the setting is seen by all: who asked {@link isPaused} before, has committed by then.
 */
export async function showPause(context: StoreContext): Promise<number> {
  const changed = await sql<{ id: string }>`
    with changing as (
      select tasks.id, settings.paused from tasks cross join settings
      where tasks.pool = '' and (
        (settings.paused and tasks.state = 'queued') or
        (not settings.paused and tasks.state = 'held' and tasks.hold = 'pause'))
      for update of tasks skip locked
    ), changed as (
      update tasks set
        state = case when paused then 'held' else 'queued' end,
        hold = case when paused then 'pause' end,
        reason = case when paused then ${reasons.paused} end
      from changing where tasks.id = changing.id
      returning tasks.id, tasks.attempt, tasks.state, tasks.hold, tasks.reason
    ), logged as (${eventsOfChanged})
    select id from changed`.execute(context.db)
  context.notifier.changed(changed.rows.map((row) => row.id))
  return changed.rows.length
}
