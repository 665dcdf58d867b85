import type { NewEvent, TaskEvent } from '../model/event.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Progress } from '../model/progress.ts'
import type { NewRun } from '../model/run.ts'
import type { RuntimeName } from '../model/submission.ts'
import type { NewTask, State, Task } from '../model/task.ts'
import type {
  ClaimedTask,
  Ending,
  Heartbeat,
  Lease,
  Parking,
  Pinned,
  SavedCandidate,
  SavedWork,
} from './lease.ts'
import type { Limits, QueueStats } from './queue-stats.ts'
import type { WorkerAbilities, WorkerLife } from './worker.ts'

/** What a forge tells of: a change to a pull request, or checks on a head. */
export interface Delivery {
  /** The same for a delivery that is sent again. */
  readonly id: string
  readonly slug: string
  readonly number: number | null
  readonly sha: string | null
}

/** The end of a task, to be told to somebody outside. */
export interface EndNotice {
  readonly task: Task
  /** This try included. */
  readonly tries: number
}

export interface TaskFilter {
  readonly state?: State
  readonly outcome?: Outcome
  readonly repo?: string
  readonly runId?: string
  /** 1 to 200. */
  readonly limit: number
  /** What `nextCursor` of the page before said. */
  readonly cursor?: string
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

/** Why a submission was refused by the store, as a value. */
export type Refusal =
  | { kind: 'idempotency_conflict'; key: string }
  | { kind: 'unknown_needs'; ids: readonly string[] }
  /** Somebody was faster: these tasks are being done again already. */
  | { kind: 'already_retried'; ids: readonly string[] }

export type SubmitAnswer =
  | {
      accepted: true
      tasks: readonly Task[]
      /** The key was used before: these are the tasks of then. */ repeated: boolean
    }
  | { accepted: false; refusal: Refusal }

/** `taken`: somebody else merges there now; `behind`: earlier tasks of its plan may be able to, and are let go first. */
export type Boarding = 'aboard' | 'taken' | 'behind'

/** The tasks table is the queue: every method is one transaction. Times are the database's. */
export interface TaskStore {
  /**
   * Stores tasks, all or none. A task whose needs have not all ended well yet is `held`; one whose need ended badly
   * already is `skipped`. A task of a run is `held` while tasks of earlier batches of it have not ended, however those end. An idempotency key is remembered for 24 hours with a hash of the request.
   */
  submit(
    tasks: readonly NewTask[],
    options: {
      pool: string | null
      machineId: string
      /** Stored with the tasks, which name it in their place. */
      run?: { run: NewRun; pinned: Pinned | null }
      idempotency?: { key: string; requestHash: string }
    },
  ): Promise<SubmitAnswer>

  get(id: string): Promise<Task | null>
  /** Finds by a whole id, or by the end of one where only one task ends so. */
  find(idOrEnd: string): Promise<Task | null>
  list(filter: TaskFilter): Promise<Page<Task>>
  /** What is needed to submit the same work again; `null` where there is no such task. */
  submissionOf(id: string): Promise<NewTask | null>

  /** Takes the next task that the worker can do and no limit, overlap, need or pause forbids; `null`: there is none. */
  claim(worker: WorkerAbilities): Promise<ClaimedTask | null>
  /** Extends the leases that are still held; one that is missing in the answer was lost. Also says the worker lives. */
  heartbeat(worker: WorkerLife, leases: readonly Lease[]): Promise<readonly Heartbeat[]>
  /**
   * Takes back what expired leases held: a cancelled task ends `cancelled`, another is tried again after a back-off,
   * and ends `error` once its budget of crashes is spent. Ends the queued tasks of `run`s that are gone. Promotes what
   * is due. Answers how many tasks changed.
   */
  sweep(): Promise<number>

  /** Fenced: the base that all attempts of this task work on, and the runtime that was chosen. */
  pin(lease: Lease, pinned: Pinned, runtime: RuntimeName): Promise<void>
  /** The base of `RunBase.group` for all tasks of the run that ask for the same: the first one told counts. */
  pinRun(lease: Lease, group: number, pinned: Pinned): Promise<Pinned>
  /** Fenced. Must be called before a push of this SHA starts; also stores a branch that was chosen anew. */
  intendPush(lease: Lease, push: { branch: string; sha: string }): Promise<void>
  /** Fenced; replaces what was saved before. */
  saveWork(lease: Lease, work: SavedWork): Promise<void>
  savedWork(lease: Lease): Promise<SavedWork | null>
  /** Fenced. What was saved of a candidate stays as it is. */
  saveCandidate(lease: Lease, saved: SavedCandidate): Promise<void>
  /** In the order in which they were saved. */
  savedCandidates(lease: Lease): Promise<readonly SavedCandidate[]>
  /** Drops what was saved of all candidates but this one; the end of the task drops that, too. */
  dropCandidates(lease: Lease, kept: number): Promise<void>
  /** How far the task has come beyond its gate, in whatever attempt. */
  progress(lease: Lease): Promise<Progress>
  /** Fenced; replaces what was saved before. */
  saveProgress(lease: Lease, progress: Progress): Promise<void>
  /** Fenced: takes the merge train of the task's repository and this base, if it is the task's turn. */
  boardTrain(lease: Lease, base: string): Promise<Boarding>
  /** Gives the train back and wakes the next that waits for it. */
  leaveTrain(lease: Lease, base: string): Promise<void>
  /** Fenced. Adds events in order. */
  record(lease: Lease, events: readonly NewEvent[]): Promise<void>

  /**
   * Fenced: ends the task, releases what waited for it, keeps its diff, in one transaction. Drops its saved work, or
   * keeps it for a while where the task ended badly.
   * Throws where the outcome needs a confirmed SHA and the evidence has none.
   */
  settle(lease: Lease, ending: Ending, diff: Buffer | null): Promise<void>
  /**
   * Fenced: the machinery failed. Tried again after a back-off, or ended with `finally` when the budget of crashes is
   * spent. Answers which.
   */
  retryLater(lease: Lease, failure: { reason: string; finally: Ending }): Promise<'retried' | 'ended'>
  /**
   * Fenced: waits for something outside (a quota, the forge, the merge train) without holding a slot, outside every
   * budget, and is claimed again when the time is over or {@link wake} says so.
   */
  park(lease: Lease, parking: Parking): Promise<void>
  /**
   * Holds everything that works with this account of a provider until the time is over: what waits in the queue is
   * `held` with this reason, and goes on by itself. A hold that lasts longer already stays.
   */
  holdAccount(account: string, hold: { reason: string; delayMs: number }): Promise<void>
  /** Lets a parked task go on now, e.g. since a webhook told of it; a hint: one that is not parked stays as it is. */
  wake(taskId: string): Promise<void>
  /** Wakes the tasks that wait for what a forge tells of, once a delivery. Answers how many. */
  hear(delivery: Delivery): Promise<number>
  /** Takes ends of tasks that are to be told now; each is due again later, until {@link noticeDone}. */
  dueNotices(limit: number): Promise<readonly EndNotice[]>
  noticeDone(taskId: string): Promise<void>
  /** Fenced: back into the queue, outside every budget, e.g. when this process drains. */
  handBack(lease: Lease, reason: string): Promise<void>

  /** Ends a waiting task, asks the worker of a running one to end it; `null`: no such task. A done task stays as it is. */
  cancel(id: string, reason: string): Promise<Task | null>
  /** Nothing new of the shared pool is claimed until `resume`. */
  pause(): Promise<void>
  resume(): Promise<void>
  setLimits(limits: Limits): Promise<void>
  stats(): Promise<QueueStats>

  /** In order, with ids greater than `after`. */
  events(taskId: string, options: { after: number; limit: number }): Promise<readonly TaskEvent[]>
  /** The unified diff of a task's work, `null` where none was kept. */
  diff(taskId: string): Promise<Buffer | null>
  /** What the task handed over last, as {@link SavedWork} has it; `null` where it was pushed, too large or is too old. */
  bundle(taskId: string): Promise<{ headSha: string; bundle: Buffer } | null>

  /**
   * Calls back when something may have changed, until closed; a hint, never the truth: it can be lost or doubled.
   * `queue`: there may be work. `task`: this task has new events or a new state. `cancel`: somebody asked it to end.
   */
  listen(on: {
    queue?: () => void
    task?: (taskId: string) => void
    cancel?: (taskId: string) => void
  }): Promise<() => Promise<void>>

  /** Says that the tasks of this pool still have their `run`; forgetting to say so for a lease's length ends them. */
  keepPool(pool: string): Promise<void>
  /** The worker has stopped in good order. */
  leave(workerId: string): Promise<void>
}
