import { sql, type Kysely } from 'kysely'
import type { FiringState, ScheduleDefinition } from '../model/schedule/schedule.ts'
import type { ScheduleStore, StoredSchedule } from '../ports/schedule-store.ts'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'
import { storableJson, storableText } from './storable.ts'

const takenMs = 60_000

interface ScheduleRow {
  readonly definition: ScheduleDefinition
  readonly paused: boolean
  readonly created_at: Date
  readonly considered_until: Date
  readonly last_at: Date | null
  readonly last_state: FiringState | null
  readonly last_run_id: string | null
  readonly last_reason: string | null
}

/** Opens the store of schedules over a migrated database. What each method promises stands in the port. */
export function openScheduleStore({ db }: Pick<Database, 'db'>): ScheduleStore {
  return {
    async create(schedule) {
      const written = await sql`
        insert into schedules (name, definition) values (${schedule.name}, ${storableJson(schedule)}::jsonb)
        on conflict do nothing returning name`.execute(db)
      return written.rows.length > 0
    },
    async get(name) {
      return (await read(db, storableText(name)))[0] ?? null
    },
    list: () => read(db, null),
    async remove(name) {
      const gone = await db.deleteFrom('schedules').where('name', '=', storableText(name)).executeTakeFirst()
      return gone.numDeletedRows > 0n
    },
    async setPaused(name, paused) {
      const written = await sql`
        update schedules set paused = ${paused},
          considered_until = case when paused and not ${paused} then clock_timestamp() else considered_until end
        where name = ${storableText(name)} returning name`.execute(db)
      return written.rows.length > 0
    },
    async note(name, at, state, reason) {
      await sql`
        with considered as (
          update schedules set considered_until = greatest(considered_until, ${at}::timestamptz)
          where name = ${name} returning name
        )
        insert into firings (schedule, fire_at, state, reason)
        select name, ${at}::timestamptz, ${state}, ${reason}::text from considered
        on conflict do nothing`.execute(db)
    },
    async take() {
      const taken = await sql<{ schedule: string; fire_at: Date; state: 'pending' | 'waiting' }>`
        update firings set free_at = clock_timestamp() + ${takenMs} * interval '1 ms'
        where (schedule, fire_at) in (
          select schedule, fire_at from firings
          where state in ('pending', 'waiting') and free_at <= clock_timestamp()
          order by fire_at limit 1 for update skip locked)
        returning schedule, fire_at, state`.execute(db)
      const [firing] = taken.rows
      if (firing === undefined) return null
      const [schedule] = await read(db, firing.schedule)
      return schedule === undefined ? null : { schedule, at: firing.fire_at, state: firing.state }
    },
    async settle(name, at, { state, runId, reason, delayMs }) {
      await sql`
        update firings set state = ${state}, run_id = ${runId}, reason = ${reason === null ? null : storableText(reason)},
          free_at = clock_timestamp() + ${delayMs} * interval '1 ms'
        where schedule = ${name} and fire_at = ${at}::timestamptz`.execute(db)
    },
  }
}

async function read(db: Kysely<Schema>, name: string | null): Promise<readonly StoredSchedule[]> {
  const found = await sql<ScheduleRow>`
    select definition, paused, created_at, considered_until, last.fire_at as last_at, last.state as last_state,
      last.run_id as last_run_id, last.reason as last_reason
    from schedules left join lateral (
      select * from firings where schedule = schedules.name order by fire_at desc limit 1) last on true
    where ${name}::text is null or name = ${name}
    order by name`.execute(db)
  return found.rows.map((row) => ({
    ...row.definition,
    paused: row.paused,
    createdAt: row.created_at,
    consideredUntil: row.considered_until,
    last:
      row.last_at === null || row.last_state === null
        ? null
        : {
            at: row.last_at.toISOString(),
            state: row.last_state,
            runId: row.last_run_id,
            reason: row.last_reason,
          },
  }))
}
