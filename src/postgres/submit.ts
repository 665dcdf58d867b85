import { createHash } from 'node:crypto'
import { sql, type Insertable } from 'kysely'
import { isGood } from '../model/outcome.ts'
import { providerOf } from '../model/provider.ts'
import type { NewTask } from '../model/task.ts'
import type { SubmitAnswer, TaskStore } from '../ports/task-store.ts'
import { resolveId } from './find-task.ts'
import { rememberedTasks } from './idempotency.ts'
import { literalPrefix } from './path-prefixes.ts'
import { insertRun, lockRuns, openBatches, type OpenBatches } from './run-rows.ts'
import { isPaused } from './pause.ts'
import { reasons } from './reasons.ts'
import { releaseAfter } from './release.ts'
import type { Schema } from './schema.ts'
import { recordStates } from './state-events.ts'
import { storableJson, storableText } from './storable.ts'
import type { StoreContext } from './store-context.ts'
import { toTask, type TaskRow } from './task-row.ts'
import { inTransaction, type Tx } from './transaction.ts'

type Options = Parameters<TaskStore['submit']>[1]
type NeededTask = Pick<TaskRow, 'id' | 'outcome'>

/** A refusal found inside the transaction, which has to be undone. */
class Refused extends Error {
  readonly answer: SubmitAnswer & { accepted: false }

  constructor(answer: SubmitAnswer & { accepted: false }) {
    super('refused')
    this.answer = answer
  }
}

// One statement takes 65,535 parameters.
const rowsPerInsert = 1000

export async function submit(
  context: StoreContext,
  tasks: readonly NewTask[],
  options: Options,
): Promise<SubmitAnswer> {
  const answer = await inTransaction(context.db, (tx) => store(context, tx, tasks, options)).catch(
    (error: unknown) => {
      if (error instanceof Refused) return error.answer
      throw error
    },
  )
  if (answer.accepted && !answer.repeated) context.notifier.changed(answer.tasks.map((task) => task.id))
  return answer
}

async function store(
  context: StoreContext,
  tx: Tx,
  tasks: readonly NewTask[],
  options: Options,
): Promise<SubmitAnswer> {
  if (options.idempotency !== undefined) {
    const ids = tasks.map((task) => task.id)
    const before = await rememberedTasks(tx, options.idempotency, ids)
    if (before === 'conflict') {
      const key = options.idempotency.key
      return { accepted: false, refusal: { kind: 'idempotency_conflict', key } }
    }
    if (before !== null) return { accepted: true, tasks: await read(tx, before), repeated: true }
  }
  if (options.pool !== null) await keepPool(context, tx, options.pool)
  if (options.run !== undefined) await insertRun(tx, options.run)
  const retried = await lockRuns(tx, tasks)
  if (retried.length > 0) {
    throw new Refused({ accepted: false, refusal: { kind: 'already_retried', ids: retried } })
  }
  const batches = await openBatches(tx, tasks)
  const needed = await lockNeeds(tx, tasks)
  // In the order given, so that a task can need an earlier one.
  const rows: Insertable<Schema['tasks']>[] = []
  const paused = options.pool === null && (await isPaused(tx))
  for (const task of tasks) {
    const row = toRow(task, options, needed.ids(task), (needs) =>
      firstState(task, needs, needed.tasks, batches, paused),
    )
    rows.push(row)
    needed.add({ id: row.id, outcome: null })
  }
  for (let from = 0; from < rows.length; from += rowsPerInsert) {
    await tx
      .insertInto('tasks')
      .values(rows.slice(from, from + rowsPerInsert))
      .execute()
  }
  await insertNeeds(tx, rows)
  await recordStates(
    tx,
    rows.map((row) => ({
      taskId: row.id,
      attempt: 0,
      text: row.reason === null || row.reason === undefined ? row.state : `${row.state}: ${row.reason}`,
      data: { state: row.state, hold: row.hold ?? null, outcome: null },
    })),
  )
  const endedBadly = [...needed.tasks.values()].filter(
    (need) => need.outcome !== null && !isGood(need.outcome),
  )
  await releaseAfter(
    tx,
    endedBadly.map((need) => need.id),
  )
  const ids = rows.map((row) => row.id)
  return { accepted: true, tasks: await read(tx, ids), repeated: false }
}

/** Says that the `run` of a private pool is alive. */
export async function keepPool(
  context: Pick<StoreContext, 'options'>,
  db: StoreContext['db'],
  pool: string,
): Promise<void> {
  await sql`
    insert into pools (id, alive_until)
    values (${storableText(pool)}, clock_timestamp() + ${context.options.leaseMs} * interval '1 ms')
    on conflict (id) do update set alive_until = excluded.alive_until`.execute(db)
}

/** Finds what is needed, and keeps it from ending until the new tasks are seen: else none would release them. */
async function lockNeeds(tx: Tx, tasks: readonly NewTask[]) {
  const resolved = new Map<string, string>()
  const unknown: string[] = []
  const earlier = new Set<string>()
  for (const task of tasks) {
    for (const need of task.needs) {
      const id = earlier.has(need) ? need : (resolved.get(need) ?? (await resolveId(tx, need)))
      if (id === null || id === task.id) unknown.push(need)
      else resolved.set(need, id)
    }
    earlier.add(task.id)
  }
  if (unknown.length > 0) {
    throw new Refused({ accepted: false, refusal: { kind: 'unknown_needs', ids: [...new Set(unknown)] } })
  }
  const ids = [...new Set(resolved.values())].filter((id) => !earlier.has(id))
  const found =
    ids.length === 0
      ? []
      : await tx
          .selectFrom('tasks')
          .select(['id', 'outcome'])
          .where('id', 'in', ids)
          .orderBy('id')
          .forShare()
          .execute()
  const known = new Map<string, NeededTask>(found.map((task) => [task.id, task]))
  return {
    tasks: known,
    ids: (task: NewTask) => [...new Set(task.needs.map((need) => resolved.get(need) ?? need))],
    add: (task: NeededTask) => void known.set(task.id, task),
  }
}

function toRow(
  task: NewTask,
  options: Options,
  needs: readonly string[],
  stateOf: (needs: readonly string[]) => FirstState,
): Insertable<Schema['tasks']> {
  const repo = storableText(task.repo)
  const provider = providerOf(task.agent, task.options.model)
  const machine = /^(?:\/|file:)/i.test(repo) ? options.machineId : null
  return {
    id: task.id,
    pool: storableText(options.pool ?? ''),
    lane: laneOf([repo, task.agent, task.runtime, machine, provider]),
    provider,
    machine_id: machine,
    repo,
    base: task.base,
    branch: storableText(task.branch),
    prompt: storableText(task.prompt),
    agent: task.agent,
    runtime: task.runtime,
    priority: task.priority,
    needs,
    paths: task.paths.map(storableText),
    path_prefixes: [...new Set(task.paths.map((path) => literalPrefix(storableText(path))))],
    retry_of: task.retryOf,
    options: storableJson(task.options),
    asked: storableJson({ base: task.base, branch: task.branch, runtime: task.runtime }),
    ...placeOf(task),
    ...stateOf(needs),
  }
}

function placeOf({ place }: NewTask): Partial<Insertable<Schema['tasks']>> {
  if (place === null) return {}
  return {
    run_id: place.runId,
    batch: storableText(place.batch),
    batch_number: place.batchNumber,
    plan_order: place.order,
    plan_task: storableText(place.planTask),
  }
}

type FirstState = Pick<Insertable<Schema['tasks']>, 'state' | 'hold' | 'reason'>

/** A need that ended badly counts as one that is waited for: {@link releaseAfter} skips the task right after. */
function firstState(
  task: NewTask,
  needs: readonly string[],
  known: ReadonlyMap<string, NeededTask>,
  batches: OpenBatches,
  paused: boolean,
): FirstState {
  const before = task.place === null ? null : batches.before(task.place)
  if (before !== null) return { state: 'held', hold: 'batch', reason: reasons.batch(before) }
  const open = needs.filter((id) => {
    const outcome = known.get(id)?.outcome ?? null
    return outcome === null || !isGood(outcome)
  })
  if (open.length > 0) return { state: 'held', hold: 'needs', reason: reasons.needs(open) }
  if (paused) return { state: 'held', hold: 'pause', reason: reasons.paused }
  return { state: 'queued', hold: null, reason: null }
}

function laneOf(parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

async function insertNeeds(tx: Tx, rows: readonly Insertable<Schema['tasks']>[]): Promise<void> {
  const pairs = rows.flatMap((row) => row.needs.map((need) => ({ task: row.id, need })))
  if (pairs.length === 0) return
  await sql`
    insert into task_needs (task_id, need_id)
    select * from unnest(${pairs.map((pair) => pair.task)}::text[], ${pairs.map((pair) => pair.need)}::text[])`.execute(
    tx,
  )
}

async function read(tx: Tx, ids: readonly string[]) {
  const rows = await tx.selectFrom('tasks').selectAll().where('id', 'in', ids).execute()
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.flatMap((id) => {
    const row = byId.get(id)
    return row === undefined ? [] : [toTask(row)]
  })
}
