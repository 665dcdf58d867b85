import { sql } from 'kysely'
import type { Outcome } from '../model/outcome.ts'
import type { State } from '../model/task.ts'
import type { Limits, QueueStats } from '../ports/task-store.ts'
import type { StoreContext } from './store-context.ts'

export async function setLimits(context: StoreContext, limits: Limits): Promise<void> {
  await context.db
    .updateTable('settings')
    .set({
      limit_global: limits.global,
      limit_per_repository: limits.perRepository,
      limit_per_agent: limits.perAgent,
    })
    .execute()
  // More may be allowed to start now.
  context.notifier.queue()
}

export async function stats(context: StoreContext): Promise<QueueStats> {
  // One part for each partial index: none of them reads the tasks themselves.
  const [counted, settings, workers] = await Promise.all([
    sql<{ state: State; outcome: Outcome | null; count: string }>`
      select 'queued' as state, null as outcome, count(*) from tasks where state = 'queued'
      union all select 'held', null, count(*) from tasks where state = 'held'
      union all select 'running', null, count(*) from tasks where state = 'running'
      union all select 'done', outcome, count(*) from tasks where state = 'done' group by outcome`.execute(
      context.db,
    ),
    context.db.selectFrom('settings').selectAll().executeTakeFirstOrThrow(),
    sql<QueueStats['workers'][number] & { seen_at: Date }>`
      select id, host, pid, slots, seen_at,
        (select count(*)::int from tasks where state = 'running' and worker_id = workers.id) as running
      from workers order by id`.execute(context.db),
  ])
  const states: Record<State, number> = { queued: 0, held: 0, running: 0, done: 0 }
  const outcomes: Partial<Record<Outcome, number>> = {}
  for (const row of counted.rows) {
    states[row.state] += Number(row.count)
    if (row.outcome !== null) outcomes[row.outcome] = Number(row.count)
  }
  return {
    states,
    outcomes,
    paused: settings.paused,
    limits: {
      global: settings.limit_global,
      perRepository: settings.limit_per_repository,
      perAgent: settings.limit_per_agent,
    },
    workers: workers.rows.map(({ seen_at: seenAt, ...worker }) =>
      Object.assign(worker, { seenAt: seenAt.toISOString() }),
    ),
  }
}
