import { sql } from 'kysely'
import { storableText } from './storable.ts'
import type { Tx } from './transaction.ts'

const rememberHours = 24

/**
 * Takes an idempotency key for these tasks. `null`: it is ours now. `conflict`: it was used for another request.
 * Otherwise: the tasks of the first request. Two transactions with one key wait for each other here.
 */
export async function rememberedTasks(
  tx: Tx,
  request: { key: string; requestHash: string },
  taskIds: readonly string[],
): Promise<readonly string[] | 'conflict' | null> {
  const key = storableText(request.key)
  const taken = await sql`
    insert into idempotency_keys as known (key, request_hash, task_ids)
    values (${key}, ${request.requestHash}, ${taskIds})
    on conflict (key) do update
      set request_hash = excluded.request_hash, task_ids = excluded.task_ids, created_at = now()
      where known.created_at < now() - ${rememberHours} * interval '1 hour'
    returning key`.execute(tx)
  if (taken.rows.length > 0) return null
  const before = await tx
    .selectFrom('idempotency_keys')
    .selectAll()
    .where('key', '=', key)
    .executeTakeFirstOrThrow()
  return before.request_hash === request.requestHash ? before.task_ids : 'conflict'
}

/** Forgets keys that are too old to count. */
export async function forgetOldKeys(tx: Tx): Promise<void> {
  await sql`delete from idempotency_keys where created_at < now() - ${rememberHours} * interval '1 hour'`.execute(
    tx,
  )
}
