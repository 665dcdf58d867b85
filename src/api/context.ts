import type { System } from '../core/system.ts'
import type { Run, RunBatches } from '../model/run.ts'
import type { Task } from '../model/task.ts'
import { ProblemError } from './problem.ts'
import type { EventPulse } from './event-pulse.ts'
import type { SharedPages } from './shared-pages.ts'
import type { TaskHints } from './task-hints.ts'

/** What the routes work on. */
export interface ApiContext {
  readonly system: System
  readonly hints: TaskHints
  readonly pages: SharedPages
  readonly pulse: EventPulse
  /** Why this process should get no more calls; `null`: it is well. */
  readonly draining: () => string | null
  /** Aborts when the server ends: open streams end. */
  readonly closing: AbortSignal
  /** Milliseconds between the comments that keep silent streams open. */
  readonly keepAliveMs: number
}

/** The run of a path; throws {@link ProblemError} 404. */
export function runOf(context: ApiContext, id: string): Promise<Run> {
  return ofRun(id, (end) => context.system.runContext.runs.find(end))
}

/** The batches of the run of a path; throws {@link ProblemError} 404. */
export function batchesOfRun(context: ApiContext, id: string): Promise<RunBatches> {
  return ofRun(id, (end) => context.system.runContext.runs.batches(end))
}

async function ofRun<T>(id: string, read: (idOrEnd: string) => Promise<T | null>): Promise<T> {
  const found = /^[0-9A-Za-z]{4,26}$/.test(id) ? await read(id) : null
  if (found !== null) return found
  const shown = JSON.stringify(id.slice(0, 64))
  throw new ProblemError('not-found', `there is no run ${shown}, or more than one run ends so`)
}

/** The task of a path; throws {@link ProblemError} 404. */
export async function taskOf(context: ApiContext, id: string): Promise<Task> {
  // Anything else cannot be an id, and must not travel into a query.
  const task = /^[0-9A-Za-z]{4,26}$/.test(id) ? await context.system.store.find(id) : null
  if (task !== null) return task
  const shown = JSON.stringify(id.slice(0, 64))
  throw new ProblemError('not-found', `there is no task ${shown}, or more than one task ends so`)
}
