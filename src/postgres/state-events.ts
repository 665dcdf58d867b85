import { sql, type Kysely } from 'kysely'
import { prepared } from './prepared.ts'
import type { Schema } from './schema.ts'

/** A step in a task's own life. */
export interface StateEvent {
  readonly taskId: string
  readonly attempt: number
  readonly text: string
  readonly data: Readonly<Record<string, unknown>>
}

/** Adds events of type `state`. The caller holds the rows of these tasks: ids of one task's events grow in order. */
export async function recordStates(db: Kysely<Schema>, events: readonly StateEvent[]): Promise<void> {
  if (events.length === 0) return
  await sql`
    ${prepared} insert into events (task_id, attempt, type, text, data)
    select task_id, attempt, 'state', text, data
    from unnest(
      ${events.map((event) => event.taskId)}::text[],
      ${events.map((event) => event.attempt)}::int[],
      ${events.map((event) => event.text)}::text[],
      ${events.map((event) => JSON.stringify(event.data))}::jsonb[]
    ) as given (task_id, attempt, text, data)`.execute(db)
}

/** The events of tasks that a statement changed, none of which ended: `changed` is what its update returned. */
export const eventsOfChanged = sql`
  insert into events (task_id, attempt, type, text, data)
  select id, attempt, 'state', concat_ws(': ', state, reason),
    jsonb_build_object('state', state, 'hold', hold, 'outcome', null)
  from changed`
