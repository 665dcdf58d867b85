import { sql } from 'kysely'
import type { Hold } from '../model/task.ts'
import type { Durations, Numbers, Spent } from '../ports/numbers.ts'
import type { Database } from './database.ts'

const lastTasks = 500

/** Opens the numbers of operators over a migrated database. */
export function openNumbers({ db }: Pick<Database, 'db'>): Numbers {
  return {
    now: async () => {
      const [holds, oldest, spentToday, durations] = await Promise.all([
        sql<{ hold: Hold; count: string }>`
          select hold, count(*) as count from tasks where state = 'held' group by hold`.execute(db),
        sql<{ seconds: string | null; bytes: string }>`
          select extract(epoch from clock_timestamp() - min(created_at)) as seconds,
            pg_database_size(current_database()) as bytes
          from tasks where state = 'queued'`.execute(db),
        spent(db, sql`state = 'done' and ended_at > now() - interval '24 hours'`),
        sql<{ step: string | null; count: string; p50: number; p95: number }>`
          with ended as (
            select id, created_at from tasks where state = 'done' order by ended_at desc limit ${lastTasks}
          ), took as (
            select step, (data ->> 'durationMs')::float8 as ms
            from ended join events on events.task_id = ended.id
            where type = 'step.ended' and data ? 'durationMs'
            union all
            select null, greatest(0, extract(epoch from min(at) - ended.created_at) * 1000)
            from ended join events on events.task_id = ended.id
            where type = 'step.started' and attempt = 1 group by ended.id, ended.created_at
          )
          select step, count(*) as count,
            percentile_cont(0.5) within group (order by ms) as p50,
            percentile_cont(0.95) within group (order by ms) as p95
          from took group by step`.execute(db),
      ])
      const steps: Record<string, Durations> = {}
      let pickUp: Durations | null = null
      for (const { step, count, p50, p95 } of durations.rows) {
        const taken = { count: Number(count), p50Ms: Math.round(p50), p95Ms: Math.round(p95) }
        if (step === null) pickUp = taken
        else steps[step] = taken
      }
      const seconds = oldest.rows[0]?.seconds ?? null
      return {
        heldBy: Object.fromEntries(holds.rows.map((row) => [row.hold, Number(row.count)])),
        oldestQueuedSeconds: seconds === null ? null : Math.max(0, Number(seconds)),
        spent: spentToday,
        pickUp,
        steps,
        databaseBytes: Number(oldest.rows[0]?.bytes ?? 0),
      }
    },
    spentBy: (taskIds) => spent(db, sql`id = any(${taskIds}::text[])`),
  }
}

async function spent(db: Database['db'], which: ReturnType<typeof sql>): Promise<Spent> {
  const found = await sql<{ cost: string; input: string; output: string }>`
    select coalesce(sum((evidence #>> '{agent,costUsd}')::numeric), 0) as cost,
      coalesce(sum((evidence #>> '{agent,inputTokens}')::numeric), 0) as input,
      coalesce(sum((evidence #>> '{agent,outputTokens}')::numeric), 0) as output
    from tasks where ${which}`.execute(db)
  const row = found.rows[0]
  return {
    costUsd: Number(row?.cost ?? 0),
    inputTokens: Number(row?.input ?? 0),
    outputTokens: Number(row?.output ?? 0),
  }
}
