import { sql } from 'kysely'
import { eventsOfChanged } from './state-events.ts'
import type { StoreContext } from './store-context.ts'

/**
 * Brings waiting tasks in line with the disks of workers: where every live worker of a pool lacks room, its queued tasks
 * are held and say why; where one has room again, they are queued. Answers how many changed. Tasks that are parked for a
 * disk by their own attempt have a time at which they go on, and are left to it.
 */
export async function showDisks(context: StoreContext): Promise<number> {
  const changed = await sql<{ id: string }>`
    with live as (
      select pool, bool_and(short_of_disk is not null) as short, min(short_of_disk) as reason
      from workers where seen_at > clock_timestamp() - ${context.options.leaseMs} * interval '1 ms'
      group by pool
    ), changing as (
      select tasks.id, live.reason from tasks join live on live.pool = tasks.pool and live.short
      where tasks.state = 'queued'
      union all
      select tasks.id, null from tasks
      where tasks.state = 'held' and tasks.hold = 'disk' and tasks.due_at is null
        and exists (select from live where live.pool = tasks.pool and not live.short)
    ), locked as (
      select tasks.id, changing.reason from tasks join changing on changing.id = tasks.id
      where tasks.state in ('queued', 'held') for update of tasks skip locked
    ), changed as (
      update tasks set
        state = case when locked.reason is null then 'queued' else 'held' end,
        hold = case when locked.reason is null then null else 'disk' end,
        reason = locked.reason, due_at = null
      from locked where tasks.id = locked.id
      returning tasks.id, tasks.attempt, tasks.state, tasks.hold, tasks.reason
    ), logged as (${eventsOfChanged})
    select id from changed`.execute(context.db)
  context.notifier.changed(changed.rows.map((row) => row.id))
  return changed.rows.length
}
