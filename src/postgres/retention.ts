import { sql } from 'kysely'
import type { Log } from '../ports/log.ts'
import type { Database } from './database.ts'

/** How long what belongs to ended tasks is kept, in milliseconds after their end; `null`: for ever. */
export interface Retention {
  readonly outputMs: number | null
  readonly eventsMs: number | null
  readonly diffsMs: number | null
}

/** So many tasks in one statement: it must not hold others up. */
const tasksAtOnce = 100

/**
 * Removes what is older than it is to be kept: first output, then all events, and diffs. Tasks themselves stay, with
 * their outcome and evidence. Several processes may do so at the same time.
 */
export async function forgetOld({ db }: Pick<Database, 'db'>, retention: Retention, log: Log): Promise<void> {
  const { outputMs, eventsMs, diffsMs } = retention
  let removed = 0
  if (outputMs !== null) removed += await forgetEvents(db, outputMs, sql`events.type = 'output'`)
  if (eventsMs !== null) removed += await forgetEvents(db, eventsMs, sql`true`)
  if (diffsMs !== null) {
    const gone = await sql`
      delete from diffs using tasks where tasks.id = diffs.task_id and ${endedBefore(diffsMs)}`.execute(db)
    removed += Number(gone.numAffectedRows ?? 0n)
  }
  if (removed > 0) log.info('removed what was older than it is to be kept', { rows: removed })
}

async function forgetEvents(
  db: Database['db'],
  olderMs: number,
  which: ReturnType<typeof sql>,
): Promise<number> {
  let removed = 0
  for (;;) {
    const gone = await sql`
      delete from events using (
        select id from tasks
        where ${endedBefore(olderMs)} and exists (select from events where events.task_id = tasks.id and ${which})
        order by ended_at limit ${tasksAtOnce}
      ) old
      where events.task_id = old.id and ${which}`.execute(db)
    const rows = Number(gone.numAffectedRows ?? 0n)
    if (rows === 0) return removed
    removed += rows
  }
}

function endedBefore(ms: number) {
  return sql`tasks.state = 'done' and tasks.ended_at < now() - ${ms} * interval '1 ms'`
}
