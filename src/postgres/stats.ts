import { sql } from 'kysely'
import type { Outcome } from '../model/outcome.ts'
import type { State } from '../model/task.ts'
import type { Limits, QueueNow, QueueStats } from '../ports/queue-stats.ts'
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

/** The queue as it is now: without what has ended, so that it costs the same after 100,000 tasks. */
export async function queueNow(db: StoreContext['db']): Promise<QueueNow> {
  // One part for each partial index: none of them reads the tasks themselves.
  const [counted, settings, workers, holds] = await Promise.all([
    sql<{ state: Exclude<State, 'done'>; count: string }>`
      select 'queued' as state, count(*) from tasks where state = 'queued'
      union all select 'held', count(*) from tasks where state = 'held'
      union all select 'running', count(*) from tasks where state = 'running'`.execute(db),
    db.selectFrom('settings').selectAll().executeTakeFirstOrThrow(),
    sql<QueueStats['workers'][number] & { seen_at: Date }>`
      select id, host, pid, slots, seen_at,
        (select count(*)::int from tasks where state = 'running' and worker_id = workers.id) as running
      from workers order by id`.execute(db),
    sql<{ account: string; until: Date; reason: string }>`
      select account, until, reason from account_holds where until > clock_timestamp() order by account`.execute(
      db,
    ),
  ])
  const states = { queued: 0, held: 0, running: 0 }
  for (const row of counted.rows) states[row.state] = Number(row.count)
  return {
    states,
    paused: settings.paused,
    limits: {
      global: settings.limit_global,
      perRepository: settings.limit_per_repository,
      perAgent: settings.limit_per_agent,
    },
    holds: holds.rows.map(({ until, ...hold }) => Object.assign(hold, { until: until.toISOString() })),
    workers: workers.rows.map(({ seen_at: seenAt, ...worker }) =>
      Object.assign(worker, { seenAt: seenAt.toISOString() }),
    ),
  }
}

export async function stats({ db }: Pick<StoreContext, 'db'>): Promise<QueueStats> {
  const [now, ended] = await Promise.all([
    queueNow(db),
    sql<{ outcome: Outcome; count: string }>`
      select outcome, count(*) from tasks where state = 'done' group by outcome`.execute(db),
  ])
  const outcomes: Partial<Record<Outcome, number>> = {}
  for (const row of ended.rows) outcomes[row.outcome] = Number(row.count)
  const done = Object.values(outcomes).reduce((sum, count) => sum + count, 0)
  return { ...now, states: { ...now.states, done }, outcomes }
}
