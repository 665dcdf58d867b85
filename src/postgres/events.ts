import { sql } from 'kysely'
import type { NewEvent, TaskEvent } from '../model/event.ts'
import { LeaseLost, type Lease } from '../ports/lease.ts'
import { prepared } from './prepared.ts'
import { storableJson, storableText } from './storable.ts'
import type { StoreContext } from './store-context.ts'
import { isHeld, toEvent } from './task-row.ts'

const maxPage = 10_000

/** Adds events in one statement, under the row's lock: their ids grow in the order in which they are seen. */
export async function record(
  context: StoreContext,
  lease: Lease,
  events: readonly NewEvent[],
): Promise<void> {
  const given = events.map((event) => ({ ...event, text: storableText(event.text) }))
  const outputBytes = given.reduce(
    (total, event) => total + (event.type === 'output' ? Buffer.byteLength(event.text) : 0),
    0,
  )
  const limit = context.options.maxOutputBytes
  // Where a reader of the output comes to its end.
  const cut = `[the output is longer than ${limit} bytes: the rest of it is not kept]\n`
  const written = await sql<{ held: string }>`
    ${prepared} with lease as (
      update tasks set output_bytes = output_bytes + ${outputBytes} where ${isHeld(lease)}
      returning id, attempt, output_bytes - ${outputBytes} as bytes_before
    ), given as (
      select place, type, step, text, data::jsonb as data, ago_ms,
        sum(case when type = 'output' then octet_length(text) else 0 end) over (order by place) as bytes
      from unnest(
        ${given.map((event) => event.type)}::text[],
        ${given.map((event) => event.step)}::text[],
        ${given.map((event) => event.text)}::text[],
        ${given.map((event) => storableJson(event.data))}::text[],
        ${given.map((event) => event.agoMs ?? 0)}::float8[]
      ) with ordinality as event (type, step, text, data, ago_ms, place)
    ), kept as (
      select place, type, step, text, data, ago_ms from given cross join lease
      where type <> 'output' or bytes_before + bytes <= ${limit}
      union all
      (select place, 'output', step, ${cut}, '{}'::jsonb, ago_ms from given cross join lease
        where type = 'output' and bytes_before <= ${limit} and bytes_before + bytes > ${limit}
        order by place limit 1)
    ), written as (
      insert into events (task_id, attempt, type, step, text, data, at)
      select lease.id, lease.attempt, kept.type, kept.step, kept.text, kept.data,
        clock_timestamp() - kept.ago_ms * interval '1 ms'
      from kept cross join lease order by kept.place
    )
    select count(*) as held from lease`.execute(context.db)
  if (written.rows[0]?.held !== '1') throw new LeaseLost(lease)
  if (events.length > 0) context.notifier.task(lease.taskId)
}

export async function readEvents(
  context: StoreContext,
  taskId: string,
  options: { after: number; limit: number },
): Promise<readonly TaskEvent[]> {
  const rows = await context.db
    .selectFrom('events')
    .selectAll()
    .where('task_id', '=', storableText(taskId))
    .where('id', '>', String(options.after))
    .orderBy('id')
    .limit(Math.min(Math.max(options.limit, 1), maxPage))
    .execute()
  return rows.map(toEvent)
}
