import type { Evidence } from '../model/evidence.ts'
import type { Outcome } from '../model/outcome.ts'
import type { ParkingHold, Task, TaskOptions } from '../model/task.ts'
import type { Budget } from './spend.ts'

/**
 * The right to work on a task: task and attempt are the fencing token, on every write. A write under a lease that was
 * lost changes nothing and throws {@link LeaseLost}.
 */
export interface Lease {
  readonly taskId: string
  readonly attempt: number
  readonly workerId: string
}

/** Somebody else has the task by now, or it has ended: stop at once, touch nothing. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
  readonly lease: Lease

  constructor(lease: Lease) {
    super(`the lease on task ${lease.taskId}, attempt ${lease.attempt}, was lost`)
    this.lease = lease
  }
}

/** A task, taken for work. */
export interface ClaimedTask {
  readonly lease: Lease
  readonly task: Task
  readonly options: TaskOptions
  /** What an earlier attempt has pinned; the same base holds for all attempts. */
  readonly pinned: Pinned | null
  /**
   * Every SHA that this task, or one that it does again, meant to push or had confirmed on this branch, oldest first:
   * what stands there and is one of these is ours.
   */
  readonly ownShas: readonly string[]
  /** Commits that the tasks in `needs` made, where they were not merged: this task starts from all of them together. */
  readonly needBranches: readonly { taskId: string; repo: string; branch: string; headSha: string }[]
  /**
   * Where it starts without such needs; `null`: it belongs to no run, or has to see the base as it is now, as a task
   * that is done again does, since a person may have mended the base.
   */
  readonly runBase: RunBase | null
  /** What its spending is counted for beside itself: its run, or the night of a schedule. */
  readonly budgets: readonly Budget[]
}

/** The base that tasks of a run share. */
export interface RunBase {
  /** 0: the base as the run found it. Else: as the batch of this number found it, after what was merged before. */
  readonly group: number
  /** The task is of the first batch of the run. */
  readonly firstBatch: boolean
  /** `null`: no task has asked for it yet; see {@link TaskStore.pinRun}. */
  readonly pinned: Pinned | null
}

export interface Pinned {
  readonly base: string
  readonly sha: string
}

/** What an attempt handed over, so that a later one need not run the agent again. */
export interface SavedWork {
  readonly headSha: string
  /** A git bundle of `base..head`, as it came out of the sandbox. */
  readonly bundle: Buffer
  /** The evidence gathered until then. */
  readonly evidence: Evidence
  /** What the agent needs to take up its conversation again: its id, and an archive that only a sandbox opens. */
  readonly conversation: { readonly id: string; readonly archive: Buffer } | null
}

/** What one of several agents at the same work handed over. */
export interface SavedCandidate {
  /** Its number among them, from 1. */
  readonly number: number
  readonly work: SavedWork
}

/** What the heartbeat learns of a task under lease. */
export interface Heartbeat {
  readonly taskId: string
  readonly attempt: number
  readonly cancelRequested: boolean
}

export interface Ending {
  readonly outcome: Outcome
  readonly reason: string | null
  readonly evidence: Evidence
}

/** Why a task is parked, and for how long at most. */
export interface Parking {
  readonly hold: ParkingHold
  readonly reason: string
  readonly delayMs: number
}
