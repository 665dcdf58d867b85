import { sql } from 'kysely'
import { enqueue } from './release.ts'
import { recordStates } from './state-events.ts'
import { storableText } from './storable.ts'
import type { StoreContext } from './store-context.ts'
import { inTransaction, type Tx } from './transaction.ts'

/** Whether a worker was heard of lately: several heartbeats may be lost. */
export const isAlive = sql<boolean>`workers.seen_at > clock_timestamp() - interval '15 s'`

export async function holdAccount(
  context: StoreContext,
  account: string,
  hold: { reason: string; delayMs: number },
): Promise<void> {
  await sql`
    insert into account_holds (account, until, reason)
    values (
      ${storableText(account)}, clock_timestamp() + ${hold.delayMs} * interval '1 ms', ${storableText(hold.reason)})
    on conflict (account) do update set until = excluded.until, reason = excluded.reason
    where account_holds.until < excluded.until`.execute(context.db)
  await showHolds(context)
}

/**
 * Brings the states of waiting tasks in line with the accounts that are held, and answers how many changed: a provider
 * is closed where no worker that lives has an open account of it.
 */
export async function showHolds(context: StoreContext): Promise<number> {
  const held = await sql`
    select where exists (select from account_holds where until > clock_timestamp())
      or exists (select from tasks where state = 'held' and hold = 'quota' and provider is not null)`.execute(
    context.db,
  )
  if (held.rows.length === 0) return 0
  const changed = await inTransaction(context.db, async (tx) => [
    ...(await holdClosed(tx)),
    ...(await letGo(tx)),
  ])
  context.notifier.changed(changed)
  return changed.length
}

/** The providers that nobody has an open account of, until when, and why. */
const closedProviders = sql`
  select login.provider, min(account_holds.until) as until,
    (array_agg(account_holds.reason order by account_holds.until))[1] as reason
  from (
    select distinct split_part(entry, ' ', 1) as provider, substr(entry, strpos(entry, ' ') + 1) as account
    from workers cross join unnest(workers.accounts) as entry where ${isAlive}
  ) login
  left join account_holds on account_holds.account = login.account and account_holds.until > clock_timestamp()
  group by login.provider having bool_and(account_holds.account is not null)`

async function holdClosed(tx: Tx): Promise<readonly string[]> {
  const held = await sql<{ id: string; attempt: number; reason: string }>`
    with closed as (${closedProviders}), waiting as (
      select tasks.id, closed.until, closed.reason from tasks join closed on closed.provider = tasks.provider
      where tasks.state = 'queued' order by tasks.id for update of tasks skip locked
    )
    update tasks set state = 'held', hold = 'quota', reason = waiting.reason, due_at = waiting.until
    from waiting where tasks.id = waiting.id
    returning tasks.id, tasks.attempt, tasks.reason`.execute(tx)
  await recordStates(
    tx,
    held.rows.map(({ id, attempt, reason }) => ({
      taskId: id,
      attempt,
      text: `held: ${reason}`,
      data: { state: 'held', hold: 'quota', outcome: null },
    })),
  )
  return held.rows.map(({ id }) => id)
}

/** What waits for an account, but need not: another worker has come that has one. */
async function letGo(tx: Tx): Promise<readonly string[]> {
  const free = await sql<{ id: string; attempt: number; pool: string }>`
    with closed as (${closedProviders})
    select id, attempt, pool from tasks
    where state = 'held' and hold = 'quota' and provider in (
        select split_part(entry, ' ', 1) from workers cross join unnest(workers.accounts) as entry where ${isAlive})
      and provider not in (select provider from closed)
    order by id for update skip locked`.execute(tx)
  if (free.rows.length > 0) await enqueue(tx, free.rows)
  return free.rows.map(({ id }) => id)
}
