import { sql } from 'kysely'
import type { Heartbeat, Lease } from '../ports/lease.ts'
import type { WorkerLife } from '../ports/worker.ts'
import { prepared } from './prepared.ts'
import { storableText } from './storable.ts'
import type { StoreContext } from './store-context.ts'

export async function heartbeat(
  context: StoreContext,
  worker: WorkerLife,
  leases: readonly Lease[],
): Promise<readonly Heartbeat[]> {
  const beat = await sql<Heartbeat>`
    ${prepared} with life as (
      insert into workers (id, host, pid, slots, seen_at, agents, accounts, pool, short_of_disk)
      values (
        ${worker.id}, ${storableText(worker.host)}, ${worker.pid}, ${worker.slots}, clock_timestamp(),
        ${worker.agents}::text[],
        ${worker.accounts.map(({ provider, account }) => `${provider} ${account}`)}::text[],
        ${worker.pool ?? ''}, ${worker.shortOfDisk ?? null})
      on conflict (id) do update set
        host = excluded.host, pid = excluded.pid, slots = excluded.slots, seen_at = excluded.seen_at,
        agents = excluded.agents, accounts = excluded.accounts, pool = excluded.pool,
        short_of_disk = excluded.short_of_disk
    )
    update tasks set lease_until = clock_timestamp() + ${context.options.leaseMs} * interval '1 ms'
    from unnest(
      ${leases.map((lease) => lease.taskId)}::text[],
      ${leases.map((lease) => lease.attempt)}::int[],
      ${leases.map((lease) => lease.workerId)}::text[]
    ) as lease (task_id, attempt, worker_id)
    where tasks.id = lease.task_id and tasks.attempt = lease.attempt and tasks.worker_id = lease.worker_id
      and tasks.state = 'running' and tasks.lease_until > clock_timestamp()
    returning tasks.id as "taskId", tasks.attempt, tasks.cancel_requested_at is not null as "cancelRequested"`.execute(
    context.db,
  )
  return beat.rows
}

export async function leave(context: StoreContext, workerId: string): Promise<void> {
  await context.db.deleteFrom('workers').where('id', '=', workerId).execute()
}
