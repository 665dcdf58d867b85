import { sql } from 'kysely'
import type { Log } from '../ports/log.ts'
import type { TaskStore } from '../ports/task-store.ts'
import { holdAccount } from './account-holds.ts'
import {
  dropCandidates,
  intendPush,
  pin,
  saveCandidate,
  savedCandidates,
  savedWork,
  saveWork,
} from './attempt-work.ts'
import { cancel } from './cancel.ts'
import { createClaims } from './claim-batch.ts'
import type { Database } from './database.ts'
import { readEvents, record } from './events.ts'
import { heartbeat, leave } from './heartbeat.ts'
import { createListening } from './listen.ts'
import { createNotifier } from './notifier.ts'
import { pause, resume } from './pause.ts'
import { bundle, diff, find, get, list, submissionOf } from './read-tasks.ts'
import { park, wake } from './park.ts'
import { progress, saveProgress } from './progress.ts'
import { handBack, retryLater, settle } from './settle.ts'
import { pinRun } from './run-base.ts'
import { setLimits, stats } from './stats.ts'
import { storeDefaults, type StoreContext, type StoreOptions } from './store-context.ts'
import { keepPool, submit } from './submit.ts'
import { sweep } from './sweep.ts'
import { boardTrain, leaveTrain } from './train.ts'
import { dueNotices, hear, noticeDone } from './webhooks.ts'

export type { StoreOptions } from './store-context.ts'

/** The tasks table as the queue. What each method promises stands in the port. */
export interface PostgresTaskStore extends TaskStore {
  /** Stops listening and sends the last hints; the database stays open. Idempotent. */
  close(): Promise<void>
}

/** Opens the store over a migrated database. Nothing is asked of the database yet. */
export function openStore(
  database: Database,
  options: { readonly log: Log } & Partial<StoreOptions>,
): PostgresTaskStore {
  const { db } = database
  const notifier = createNotifier(db, options.log)
  const context: StoreContext = { db, notifier, options: { ...storeDefaults, ...options } }
  const listening = createListening(database.connection, options.log, (sinceMs) => missed(context, sinceMs))
  let closing: Promise<void> | null = null
  return {
    submit: (tasks, how) => submit(context, tasks, how),
    get: (id) => get(context, id),
    find: (idOrEnd) => find(context, idOrEnd),
    list: (filter) => list(context, filter),
    submissionOf: (id) => submissionOf(context, id),
    claim: createClaims(context),
    heartbeat: (worker, leases) => heartbeat(context, worker, leases),
    sweep: () => sweep(context),
    pin: (lease, pinned, runtime) => pin(context, lease, pinned, runtime),
    pinRun: (lease, group, pinned) => pinRun(context, lease, group, pinned),
    intendPush: (lease, push) => intendPush(context, lease, push),
    saveWork: (lease, work) => saveWork(context, lease, work),
    savedWork: (lease) => savedWork(context, lease),
    saveCandidate: (lease, saved) => saveCandidate(context, lease, saved),
    savedCandidates: (lease) => savedCandidates(context, lease),
    dropCandidates: (lease, kept) => dropCandidates(context, lease, kept),
    progress: (lease) => progress(context, lease),
    saveProgress: (lease, to) => saveProgress(context, lease, to),
    boardTrain: (lease, base) => boardTrain(context, lease, base),
    leaveTrain: (lease, base) => leaveTrain(context, lease, base),
    record: (lease, events) => record(context, lease, events),
    settle: (lease, ending, changes) => settle(context, lease, ending, changes),
    retryLater: (lease, failure) => retryLater(context, lease, failure),
    park: (lease, parking) => park(context, lease, parking),
    holdAccount: (account, hold) => holdAccount(context, account, hold),
    wake: (taskId) => wake(context, taskId),
    hear: (delivery) => hear(context, delivery),
    dueNotices: (limit) => dueNotices(context, limit),
    noticeDone: (taskId) => noticeDone(context, taskId),
    handBack: (lease, reason) => handBack(context, lease, reason),
    cancel: (id, reason) => cancel(context, id, reason),
    pause: () => pause(context),
    resume: () => resume(context),
    setLimits: (limits) => setLimits(context, limits),
    stats: () => stats(context),
    events: (taskId, how) => readEvents(context, taskId, how),
    diff: (taskId) => diff(context, taskId),
    bundle: (taskId) => bundle(context, taskId),
    listen: (on) => listening.listen(on),
    keepPool: (pool) => keepPool(context, db, pool),
    leave: (workerId) => leave(context, workerId),
    close: () => (closing ??= closeAll(listening, notifier)),
  }
}

async function closeAll(...parts: readonly { close(): Promise<void> }[]): Promise<void> {
  await Promise.all(parts.map((part) => part.close()))
}

const marginMs = 60_000

/** Tasks that may have changed while nobody listened: those that are being worked on, and those that have ended since. */
async function missed(context: StoreContext, sinceMs: number): Promise<readonly string[]> {
  const found = await sql<{ id: string }>`
    select id from tasks
    where state in ('running', 'held')
      or ended_at > clock_timestamp() - ${sinceMs + marginMs} * interval '1 ms'`.execute(context.db)
  return found.rows.map((row) => row.id)
}
