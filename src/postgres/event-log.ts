import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { EventLog } from '../ports/event-log.ts'
import type { Log } from '../ports/log.ts'
import type { Database } from './database.ts'
import { storableText } from './storable.ts'
import { toEvent } from './task-row.ts'

const maxPage = 500
/** An id is drawn some microseconds before its transaction is known to have begun. */
const startMs = 20
const askAgainMs = 20
/** Longer than PostgreSQL lets a transaction of ours sit. */
const patienceMs = 60_000

/** Opens the events of all tasks over a migrated database. */
export function openEventLog({ db }: Pick<Database, 'db'>, log: Log): EventLog {
  let known = 0
  return {
    settled: async (signal) => {
      // Whoever draws an id later draws a greater one; whoever drew a smaller one is among those that are open here.
      const asked = await sql<{ top: string; open: readonly string[] }>`
        select coalesce((select max(id) from events), 0) as top,
          coalesce(array_agg(backend_xid::text) filter (where backend_xid is not null), '{}') as open
        from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.execute(db)
      const top = Number(asked.rows[0]?.top ?? 0)
      if (top <= known) return known
      const open = asked.rows[0]?.open ?? []
      await sleep(startMs, undefined, { signal })
      const deadline = performance.now() + patienceMs
      while (open.length > 0) {
        const left = await sql`
          select from pg_stat_activity
          where datname = current_database() and backend_xid::text = any(${open}::text[]) limit 1`.execute(db)
        if (left.rows.length === 0) break
        if (performance.now() > deadline) {
          log.warn('a transaction stays open for long: who follows all tasks may miss its events')
          break
        }
        await sleep(askAgainMs, undefined, { signal })
      }
      known = Math.max(known, top)
      return known
    },

    range: async ({ after, upTo, runId, types, limit }) => {
      let query = db
        .selectFrom('events')
        .selectAll('events')
        .where('events.id', '>', String(after))
        .where('events.id', '<=', String(upTo))
      if (types !== null) query = query.where('events.type', 'in', [...types])
      if (runId !== null) {
        query = query.where((where) =>
          where.exists(
            where
              .selectFrom('tasks')
              .select('tasks.id')
              .whereRef('tasks.id', '=', 'events.task_id')
              .where('tasks.run_id', '=', storableText(runId)),
          ),
        )
      }
      const rows = await query
        .orderBy('events.id')
        .limit(Math.min(Math.max(limit, 1), maxPage))
        .execute()
      return rows.map(toEvent)
    },
  }
}
