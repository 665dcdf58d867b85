import type { TaskEvent } from '../model/event.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Task } from '../model/task.ts'
import type { Page, TaskFilter } from './task-store.ts'
import type { QueueNow } from './queue-stats.ts'

/** What a person looks for. */
export interface TaskSearch extends TaskFilter {
  /** A part of the repository's name; `repo` is the whole of it. */
  readonly repoPart?: string
  /** Words, or their beginnings, of prompt and repository; an id, or the end of one. */
  readonly text?: string
}

/** A task at work, and where it is. */
export interface RunningTask {
  readonly task: Task
  readonly step: TaskEvent['step']
  /** ISO time; `null`: no step has begun. */
  readonly stepSince: string | null
}

/** What the last hours did. */
export interface Night {
  readonly queue: QueueNow
  /** Ended badly in these hours, and nobody has done it again: newest first, at most 50. */
  readonly failed: readonly Task[]
  readonly failedCount: number
  /** Pull requests that wait for people, newest first, at most 50. */
  readonly open: readonly Task[]
  readonly held: readonly Task[]
  readonly running: readonly RunningTask[]
  /** Those that ended in these hours. */
  readonly outcomes: Readonly<Partial<Record<Outcome, number>>>
  readonly costUsd: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly insertions: number
  readonly deletions: number
}

/** What pages ask for beyond the queue itself. Read only. */
export interface Dashboard {
  search(search: TaskSearch): Promise<Page<Task>>
  night(sinceMs: number): Promise<Night>
  /** Everything but output, oldest first, at most 2,000. */
  milestones(taskId: string): Promise<readonly TaskEvent[]>
  /** The last output, oldest first, at most about 100 KB of it, and whether there is more before. */
  outputTail(taskId: string): Promise<{ events: readonly TaskEvent[]; more: boolean }>
  /** The tasks that do this one again, and that wait for it. */
  relatives(taskId: string): Promise<{ retries: readonly Task[]; dependents: readonly Task[] }>
  /** Repositories of the last tasks, for choosing one. */
  repositories(): Promise<readonly string[]>
}
