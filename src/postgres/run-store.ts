import { sql, type Selectable } from 'kysely'
import type { Outcome } from '../model/outcome.ts'
import { batchesOf, emptyTally, standingOf, type Run, type RunBatches } from '../model/run.ts'
import type { State } from '../model/task.ts'
import type { RunStore } from '../ports/run-store.ts'
import type { Page } from '../ports/task-store.ts'
import type { Database } from './database.ts'
import type { RunsTable } from './schema.ts'
import { storableText } from './storable.ts'
import { shownColumns, toNewTask, toTask } from './task-row.ts'

type RunRow = Selectable<RunsTable>

const maxPage = 200

/** A task that is done again counts as its last try. */
const isLastTry = sql<boolean>`not exists (
  select from tasks again where again.retry_of = tasks.id and again.run_id = tasks.run_id)`

/** Opens the store of runs over a migrated database. What each method promises stands in the port. */
export function openRunStore({ db }: Pick<Database, 'db'>): RunStore {
  async function find(idOrEnd: string): Promise<RunRow | null> {
    const end = storableText(idOrEnd).toUpperCase()
    if (end === '') return null
    const found = await sql<RunRow>`
      select * from runs where id = ${end}
        or right(id, ${end.length}) = ${end} order by id = ${end} desc limit 2`.execute(db)
    const [first, second] = found.rows
    if (first === undefined) return null
    return first.id === end || second === undefined ? first : null
  }

  async function tell(runs: readonly RunRow[]): Promise<readonly Run[]> {
    const counted = await sql<Counted>`
      select run_id, state, outcome, count(*)::int as count,
        sum((evidence -> 'agent' ->> 'costUsd')::double precision) as cost_usd,
        min(started_at) as started_at, max(ended_at) as ended_at
      from tasks where run_id = any(${runs.map((run) => run.id)}::text[]) and ${isLastTry}
      group by run_id, state, outcome`.execute(db)
    const byRun = Map.groupBy(counted.rows, (row) => row.run_id)
    return runs.map((run) => toRun(run, byRun.get(run.id) ?? []))
  }

  return {
    async find(idOrEnd) {
      const row = await find(idOrEnd)
      return row === null ? null : ((await tell([row]))[0] ?? null)
    },

    async list(filter): Promise<Page<Run>> {
      const limit = Math.min(Math.max(filter.limit, 1), maxPage)
      let query = db.selectFrom('runs').selectAll()
      if (filter.schedule !== undefined) query = query.where('schedule', '=', storableText(filter.schedule))
      if (filter.cursor !== undefined) query = query.where('id', '<', storableText(filter.cursor))
      const rows = await query
        .orderBy('id', 'desc')
        .limit(limit + 1)
        .execute()
      const items = await tell(rows.slice(0, limit))
      return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
    },

    async batches(idOrEnd): Promise<RunBatches | null> {
      const run = await find(idOrEnd)
      if (run === null) return null
      const tasks = await db
        .selectFrom('tasks')
        .select(shownColumns)
        .where('run_id', '=', run.id)
        .where(isLastTry)
        .orderBy('plan_order')
        .execute()
      return batchesOf(run.id, run.batches, tasks.map(toTask))
    },

    async history(id) {
      const rows = await db
        .selectFrom('tasks')
        .selectAll()
        .where('run_id', '=', storableText(id))
        .orderBy('plan_order')
        .orderBy('id')
        .execute()
      return rows.map((row) => ({ task: toNewTask(row), outcome: row.outcome }))
    },
  }
}

interface Counted {
  readonly run_id: string
  readonly state: State
  readonly outcome: Outcome | null
  readonly count: number
  readonly cost_usd: number | null
  readonly started_at: Date | null
  readonly ended_at: Date | null
}

function toRun(row: RunRow, counted: readonly Counted[]): Run {
  const tally = emptyTally()
  let tasks = 0
  let costUsd: number | null = null
  let startedMs = Number.POSITIVE_INFINITY
  let endedMs = Number.NEGATIVE_INFINITY
  for (const { state, outcome, count, cost_usd: cost, started_at: started, ended_at: ended } of counted) {
    tasks += count
    if (cost !== null) costUsd = (costUsd ?? 0) + cost
    tally.states[state] += count
    if (outcome !== null) tally.outcomes[outcome] = count
    startedMs = Math.min(startedMs, started?.getTime() ?? startedMs)
    endedMs = Math.max(endedMs, ended?.getTime() ?? endedMs)
  }
  const standing = standingOf(tally)
  return {
    id: row.id,
    ...standing,
    title: row.title,
    repo: row.repo,
    base: row.base,
    planPath: row.plan_path,
    schedule: row.schedule,
    scheduledFor: row.scheduled_for?.toISOString() ?? null,
    tasks,
    states: tally.states,
    outcomes: tally.outcomes as Record<string, number>,
    startsUntil: row.starts_until?.toISOString() ?? null,
    maxCost: row.max_cost_usd,
    costUsd,
    createdAt: row.created_at.toISOString(),
    startedAt: Number.isFinite(startedMs) ? new Date(startedMs).toISOString() : null,
    endedAt: standing.state === 'done' && Number.isFinite(endedMs) ? new Date(endedMs).toISOString() : null,
  }
}
