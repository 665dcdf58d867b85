import { sql } from 'kysely'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { NewTask, Task } from '../model/task.ts'
import type { Page, TaskFilter } from '../ports/task-store.ts'
import { resolveId } from './find-task.ts'
import { storableText } from './storable.ts'
import type { StoreContext } from './store-context.ts'
import { shownColumns, toNewTask, toTask, type TaskRow } from './task-row.ts'

const decompress = promisify(gunzip)
const maxPage = 200

export async function get(context: StoreContext, id: string): Promise<Task | null> {
  const row = await byId(context, id)
  return row === undefined ? null : toTask(row)
}

export async function find(context: StoreContext, idOrEnd: string): Promise<Task | null> {
  // A whole id, as programs give it, needs no looking for.
  const whole = await get(context, idOrEnd)
  if (whole !== null) return whole
  const id = await resolveId(context.db, idOrEnd)
  return id === null ? null : get(context, id)
}

export async function submissionOf(context: StoreContext, id: string): Promise<NewTask | null> {
  const row = await byId(context, id)
  return row === undefined ? null : toNewTask(row)
}

/** Newest first. The cursor is the last id of the page: tasks that come meanwhile neither shift nor double any. */
export async function list(context: StoreContext, filter: TaskFilter): Promise<Page<Task>> {
  const limit = Math.min(Math.max(filter.limit, 1), maxPage)
  const rows = await filterTasks(context.db, filter)
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
  const items = rows.slice(0, limit).map(toTask)
  return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
}

/** The tasks that a filter lets through, as they are shown, without its limit and without an order. */
export function filterTasks(db: StoreContext['db'], filter: TaskFilter) {
  let query = db.selectFrom('tasks').select(shownColumns)
  if (filter.state !== undefined) query = query.where('state', '=', filter.state)
  // Says the state too, since the index on outcomes holds only what is done.
  if (filter.outcome !== undefined)
    query = query.where('state', '=', 'done').where('outcome', '=', filter.outcome)
  if (filter.repo !== undefined) {
    const repo = storableText(filter.repo)
    query = query
      .where(sql<boolean>`hashtextextended(repo, 0) = hashtextextended(${repo}::text, 0)`)
      .where('repo', '=', repo)
  }
  if (filter.runId !== undefined) query = query.where('run_id', '=', storableText(filter.runId))
  if (filter.cursor !== undefined) query = query.where('id', '<', storableText(filter.cursor))
  return query
}

export async function diff(context: StoreContext, taskId: string): Promise<Buffer | null> {
  const row = await context.db
    .selectFrom('diffs')
    .select('gzip')
    .where('task_id', '=', storableText(taskId))
    .executeTakeFirst()
  return row === undefined ? null : decompress(row.gzip)
}

export async function bundle(
  context: StoreContext,
  taskId: string,
): Promise<{ headSha: string; bundle: Buffer } | null> {
  const row = await context.db
    .selectFrom('saved_work')
    .select(['head_sha', 'bundle'])
    .where('task_id', '=', storableText(taskId))
    .executeTakeFirst()
  return row === undefined ? null : { headSha: row.head_sha, bundle: row.bundle }
}

async function byId(context: StoreContext, id: string): Promise<TaskRow | undefined> {
  return context.db.selectFrom('tasks').selectAll().where('id', '=', storableText(id)).executeTakeFirst()
}
