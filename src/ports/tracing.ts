import type { Step } from '../model/event.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Task } from '../model/task.ts'

/** Tells somebody outside where the time of a task goes. Never throws, never blocks. */
export interface Tracing {
  /** An attempt begins: it is a part of its task's trace, whichever process does it. */
  attempt(task: Task, facts: { readonly attempt: number; readonly workerId: string }): AttemptTrace
}

export interface AttemptTrace {
  /** A step begins; to be called with its end: `null`, or why it failed. */
  step(step: Step): (fault: string | null) => void
  /** How the attempt left its task; with an outcome, the task's trace ends, too. */
  end(how: string, outcome: Outcome | null): void
}

/** Nobody asked. */
export const noTracing: Tracing = {
  attempt: () => ({ step: () => () => {}, end: () => {} }),
}
