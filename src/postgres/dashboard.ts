import { sql } from 'kysely'
import type { TaskEvent } from '../model/event.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Task } from '../model/task.ts'
import type { Dashboard, Night, TaskSearch } from '../ports/dashboard.ts'
import type { Page } from '../ports/task-store.ts'
import type { Database } from './database.ts'
import { filterTasks } from './read-tasks.ts'
import { queueNow } from './stats.ts'
import { storableText } from './storable.ts'
import { toEvent, toTask, type TaskRow } from './task-row.ts'

const goodOutcomes = sql.lit(['merged', 'open', 'pushed', 'no_changes'].join(','))
const shown = 50
const maxMilestones = 2000
/** Events hold up to 16 KiB of output. */
const tailEvents = 60
const tailBytes = 100_000
const recentTasks = 2000

/** Opens the questions of the dashboard over a migrated database. */
export function openDashboard({ db }: Pick<Database, 'db'>): Dashboard {
  return {
    search: (search) => searchTasks(db, search),
    night: (sinceMs) => readNight(db, sinceMs),

    milestones: async (taskId) => {
      const rows = await db
        .selectFrom('events')
        .selectAll()
        .where('task_id', '=', storableText(taskId))
        .where('type', '<>', 'output')
        .orderBy('id')
        .limit(maxMilestones)
        .execute()
      return rows.map(toEvent)
    },

    outputTail: async (taskId) => {
      const rows = await db
        .selectFrom('events')
        .selectAll()
        .where('task_id', '=', storableText(taskId))
        .where('type', '=', 'output')
        .orderBy('id', 'desc')
        .limit(tailEvents)
        .execute()
      const events: TaskEvent[] = []
      let bytes = 0
      for (const row of rows) {
        if (bytes > tailBytes) break
        bytes += row.text.length
        events.unshift(toEvent(row))
      }
      return { events, more: rows.length === tailEvents || events.length < rows.length }
    },

    relatives: async (taskId) => {
      const id = storableText(taskId)
      const [retries, dependents] = await Promise.all([
        db.selectFrom('tasks').selectAll().where('retry_of', '=', id).orderBy('id').limit(shown).execute(),
        db
          .selectFrom('tasks')
          .selectAll('tasks')
          .innerJoin('task_needs', 'task_needs.task_id', 'tasks.id')
          .where('task_needs.need_id', '=', id)
          .orderBy('tasks.id')
          .limit(shown)
          .execute(),
      ])
      return { retries: retries.map(toTask), dependents: dependents.map(toTask) }
    },

    repositories: async () => {
      const found = await sql<{ repo: string }>`
        select distinct repo from (select repo from tasks order by id desc limit ${recentTasks}) recent
        order by repo limit ${shown}`.execute(db)
      return found.rows.map((row) => row.repo)
    },
  }
}

async function searchTasks(db: Database['db'], search: TaskSearch): Promise<Page<Task>> {
  let query = filterTasks(db, search)
  if (search.repoPart !== undefined) {
    query = query.where('repo', 'ilike', `%${storableText(search.repoPart).replace(/[\\%_]/g, '\\$&')}%`)
  }
  const words = (search.text ?? '').match(/[\p{L}\p{N}]+/gu) ?? []
  const [only] = words
  if (words.length === 1 && only !== undefined && /^[0-9a-z]{8}$|^[0-9a-z]{26}$/i.test(only)) {
    const byId = await filterTasks(db, search)
      .where(sql<boolean>`right(id, ${only.length}) = ${only.toUpperCase()}`)
      .limit(1)
      .execute()
    if (byId.length > 0) return { items: byId.map(toTask), nextCursor: null }
  }
  if (words.length > 0) {
    const wanted = words.map((word) => `${word.toLowerCase()}:*`).join(' & ')
    query = query.where(
      sql<boolean>`to_tsvector('simple', left(prompt, 4000) || ' ' || repo) @@ to_tsquery('simple', ${wanted})`,
    )
  } else if ((search.text ?? '').trim() !== '') {
    return { items: [], nextCursor: null }
  }
  const rows = await query
    .orderBy('id', 'desc')
    .limit(search.limit + 1)
    .execute()
  const items = rows.slice(0, search.limit).map(toTask)
  return { items, nextCursor: rows.length > search.limit ? (items.at(-1)?.id ?? null) : null }
}

async function readNight(db: Database['db'], sinceMs: number): Promise<Night> {
  // Not clock_timestamp(), for which no index can be used.
  const since = sql`now() - ${sinceMs} * interval '1 ms'`
  const badHere = sql<boolean>`
    tasks.state = 'done' and tasks.ended_at > ${since}
    and not tasks.outcome = any(string_to_array(${goodOutcomes}, ','))
    and tasks.outcome <> 'cancelled'
    and not exists (select from tasks again where again.retry_of = tasks.id)`
  const [queue, failed, failedCount, open, held, running, outcomes] = await Promise.all([
    queueNow(db),
    sql<TaskRow>`select * from tasks where ${badHere} order by ended_at desc limit ${shown}`.execute(db),
    sql<{ count: string }>`select count(*) from tasks where ${badHere}`.execute(db),
    sql<TaskRow>`
      select * from tasks where state = 'done' and outcome = 'open' order by id desc limit ${shown}`.execute(
      db,
    ),
    sql<TaskRow>`select * from tasks where state = 'held' order by id limit ${shown}`.execute(db),
    sql<TaskRow & { current_step: TaskEvent['step']; step_since: Date | null }>`
      select tasks.*, latest.step as current_step, latest.at as step_since
      from tasks left join lateral (
        select step, at from events
        where task_id = tasks.id and attempt = tasks.attempt and type = 'step.started'
        order by id desc limit 1
      ) latest on true
      where state = 'running' order by id limit ${shown * 4}`.execute(db),
    sql<Record<'count' | 'cost' | 'input' | 'output' | 'added' | 'removed', string> & { outcome: Outcome }>`
      select outcome, count(*) as count,
        coalesce(sum((evidence #>> '{agent,costUsd}')::numeric), 0) as cost,
        coalesce(sum((evidence #>> '{agent,inputTokens}')::numeric), 0) as input,
        coalesce(sum((evidence #>> '{agent,outputTokens}')::numeric), 0) as output,
        coalesce(sum((evidence ->> 'insertions')::numeric), 0) as added,
        coalesce(sum((evidence ->> 'deletions')::numeric), 0) as removed
      from tasks where state = 'done' and ended_at > ${since} group by outcome`.execute(db),
  ])
  const total = (key: 'cost' | 'input' | 'output' | 'added' | 'removed') =>
    outcomes.rows.reduce((sum, row) => sum + Number(row[key]), 0)
  return {
    queue,
    failed: failed.rows.map(toTask),
    failedCount: Number(failedCount.rows[0]?.count ?? 0),
    open: open.rows.map(toTask),
    held: held.rows.map(toTask),
    running: running.rows.map((row) => ({
      task: toTask(row),
      step: row.current_step,
      stepSince: row.step_since?.toISOString() ?? null,
    })),
    outcomes: Object.fromEntries(outcomes.rows.map((row) => [row.outcome, Number(row.count)])),
    costUsd: total('cost'),
    inputTokens: total('input'),
    outputTokens: total('output'),
    insertions: total('added'),
    deletions: total('removed'),
  }
}
