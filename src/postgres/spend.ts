import { sql, type Kysely } from 'kysely'
import type { Budget, BudgetScope, Booking, Reservation, Spend, Spent } from '../ports/spend.ts'
import type { Database } from './database.ts'
import { prepared } from './prepared.ts'
import type { Schema } from './schema.ts'
import { storableText } from './storable.ts'
import { inTransaction, type Tx } from './transaction.ts'

const nothing: Spent = {
  requests: 0,
  inputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  costUsd: 0,
  unpricedRequests: 0,
  reservedUsd: 0,
}

/** Opens the spending over a migrated database. */
export function openSpend({ db }: Pick<Database, 'db'>): Spend {
  return {
    of: async (scope, id) => {
      const row = await db
        .selectFrom('spend')
        .selectAll()
        .where('scope', '=', scope)
        .where('id', '=', storableText(id))
        .executeTakeFirst()
      if (row === undefined) return nothing
      return {
        requests: Number(row.requests),
        inputTokens: Number(row.input_tokens),
        cacheReadTokens: Number(row.cache_read_tokens),
        cacheWriteTokens: Number(row.cache_write_tokens),
        outputTokens: Number(row.output_tokens),
        costUsd: row.cost_usd,
        unpricedRequests: Number(row.unpriced_requests),
        reservedUsd: row.reserved_usd,
      }
    },
    reserve: async (budgets, amount) => {
      const [only] = budgets
      if (only !== undefined && budgets.length === 1 && (await reserveInFull(db, only, amount.wantUsd))) {
        return { granted: true, usd: amount.wantUsd }
      }
      return inTransaction(db, (tx) => reserve(tx, budgets, amount))
    },
    book: (budgets, booking) => inTransaction(db, (tx) => book(tx, budgets, booking)),
  }
}

/** The usual case in one statement, since an answer waits for it. `false`: nothing was reserved. */
async function reserveInFull(
  db: Kysely<Schema>,
  { scope, id, capUsd }: Budget,
  usd: number,
): Promise<boolean> {
  const { rows } = await sql`${prepared}
    update spend set reserved_usd = reserved_usd + ${usd}, updated_at = now()
    where scope = ${scope} and id = ${storableText(id)}
      and (${capUsd}::double precision is null or cost_usd + reserved_usd + ${usd} <= ${capUsd}::double precision)
    returning ${withoutDisk}`.execute(db)
  return rows.length > 0
}

async function reserve(
  tx: Tx,
  budgets: readonly Budget[],
  { wantUsd, leastUsd }: { wantUsd: number; leastUsd: number },
): Promise<Reservation> {
  const rows = (await locked(tx, budgets)) ?? (await made(tx, budgets))
  let usd = wantUsd
  for (const row of rows) {
    const budget = budgets.find(({ scope, id }) => scope === row.scope && storableText(id) === row.id)
    if (budget === undefined || budget.capUsd === null) continue
    const left = budget.capUsd - row.cost_usd - row.reserved_usd
    if (left < leastUsd) {
      return { granted: false, budget, spentUsd: row.cost_usd, reservedUsd: row.reserved_usd }
    }
    usd = Math.min(usd, left)
  }
  const { scopes, ids } = keysOf(budgets)
  await sql`${prepared}
    update spend set reserved_usd = reserved_usd + ${usd}, updated_at = now()
    where (scope, id) in (select * from unnest(${scopes}::text[], ${ids}::text[]))`.execute(tx)
  return { granted: true, usd }
}

/** A reservation need not outlive the machine, so that nobody waits for the disk; what is booked does. */
const withoutDisk = sql.raw("set_config('synchronous_commit', 'off', true)")

interface SpendRow {
  readonly scope: BudgetScope
  readonly id: string
  readonly cost_usd: number
  readonly reserved_usd: number
}

/**
 * What stands for the budgets; whoever counts against one of them waits here, always in the same order. `null`: some are
 * not there yet.
 */
async function locked(tx: Tx, budgets: readonly Budget[]): Promise<readonly SpendRow[] | null> {
  const { scopes, ids } = keysOf(budgets)
  const { rows } = await sql<SpendRow>`${prepared}
    select scope, id, cost_usd, reserved_usd, ${withoutDisk} from spend
    where (scope, id) in (select * from unnest(${scopes}::text[], ${ids}::text[]))
    order by scope, id for update`.execute(tx)
  return rows.length < budgets.length ? null : rows
}

async function made(tx: Tx, budgets: readonly Budget[]): Promise<readonly SpendRow[]> {
  const { scopes, ids } = keysOf(budgets)
  await sql`
    insert into spend (scope, id) select * from unnest(${scopes}::text[], ${ids}::text[])
    order by 1, 2 on conflict do nothing`.execute(tx)
  return (await locked(tx, budgets)) ?? []
}

async function book(tx: Tx, budgets: readonly Budget[], booking: Booking): Promise<void> {
  const { scopes, ids } = keysOf(budgets)
  const unpriced = booking.costUsd === null ? booking.requests : 0
  await sql`
    insert into spend (
      scope, id, requests, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, cost_usd,
      unpriced_requests
    )
    select scope, id, ${booking.requests}::bigint, ${booking.inputTokens}::bigint,
      ${booking.cacheReadTokens}::bigint, ${booking.cacheWriteTokens}::bigint, ${booking.outputTokens}::bigint,
      ${booking.costUsd ?? 0}::double precision, ${unpriced}::bigint
    from unnest(${scopes}::text[], ${ids}::text[]) as budget (scope, id) order by scope, id
    on conflict (scope, id) do update set
      requests = spend.requests + excluded.requests,
      input_tokens = spend.input_tokens + excluded.input_tokens,
      cache_read_tokens = spend.cache_read_tokens + excluded.cache_read_tokens,
      cache_write_tokens = spend.cache_write_tokens + excluded.cache_write_tokens,
      output_tokens = spend.output_tokens + excluded.output_tokens,
      cost_usd = spend.cost_usd + excluded.cost_usd,
      unpriced_requests = spend.unpriced_requests + excluded.unpriced_requests,
      -- Sums of fractions may miss zero by a hair.
      reserved_usd = greatest(0, spend.reserved_usd - ${booking.reservedUsd}),
      updated_at = now()`.execute(tx)
}

function keysOf(budgets: readonly Budget[]): { scopes: readonly string[]; ids: readonly string[] } {
  return { scopes: budgets.map(({ scope }) => scope), ids: budgets.map(({ id }) => storableText(id)) }
}
