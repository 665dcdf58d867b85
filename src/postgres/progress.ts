import { sql } from 'kysely'
import { progressSchema, type Progress } from '../model/progress.ts'
import type { Lease } from '../ports/lease.ts'
import { prepared } from './prepared.ts'
import { storableJson } from './storable.ts'
import type { StoreContext } from './store-context.ts'
import { assertHeld, isHeld } from './task-row.ts'

export async function progress(context: StoreContext, lease: Lease): Promise<Progress> {
  const row = await context.db
    .selectFrom('progress')
    .select('data')
    .where('task_id', '=', lease.taskId)
    .executeTakeFirst()
  return progressSchema.parse(row?.data ?? {})
}

export async function saveProgress(context: StoreContext, lease: Lease, to: Progress): Promise<void> {
  const slug = to.pullRequest?.slug ?? null
  const number = to.pullRequest?.number ?? null
  const head = to.pushed?.sha ?? null
  const written = await sql<{ task_id: string }>`
    ${prepared} with lease as (select id from tasks where ${isHeld(lease)} for update)
    insert into progress (task_id, slug, number, head_sha, data)
    select id, ${slug}::text, ${number}::int, ${head}::text, ${storableJson(to)}::jsonb from lease
    on conflict (task_id) do update set
      slug = excluded.slug, number = excluded.number, head_sha = excluded.head_sha, data = excluded.data
    returning task_id`.execute(context.db)
  assertHeld(lease, written.rows[0])
}
