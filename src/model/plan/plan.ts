import type { Submission } from '../submission.ts'

/** Bytes that a plan may have. */
export const maxPlanBytes = 1024 * 1024
export const maxPlanTasks = 10_000

/** What a task or the front matter may set: the fields of a submission, as they were written. */
export type PlanOptions = Readonly<
  Partial<Record<Exclude<keyof Submission, 'repo' | 'prompt' | 'needs'>, unknown>>
>

export interface PlanTask {
  /** As it stands in the heading. Ids are text: `1.10` is not `1.1`. */
  readonly id: string
  readonly title: string
  /** The title, a blank line, the body; Markdown as it was written. */
  readonly prompt: string
  /** Its own options, without the front matter's. */
  readonly options: PlanOptions
  /** Ids of tasks of this plan. */
  readonly needs: readonly string[]
  /** Line of its heading, counted from 1. */
  readonly line: number
  /** Lines of its own options, by name. */
  readonly optionLines: Readonly<Record<string, number>>
}

export interface PlanBatch {
  readonly id: string
  /** Empty where the heading has none. */
  readonly title: string
  readonly line: number
  readonly tasks: readonly PlanTask[]
}

/** A plan that holds together: ids are unique, needs are known and lead backwards. */
export interface Plan {
  /** The first heading of level 1; empty where there is none. */
  readonly title: string
  /** `.`: the repository that holds the plan; `null`: it names none. */
  readonly repo: string | null
  /** Options of the front matter: defaults of all tasks. */
  readonly defaults: PlanOptions
  /** Lines of the front matter's keys, by name. */
  readonly defaultLines: Readonly<Record<string, number>>
  readonly batches: readonly PlanBatch[]
}

/** What is wrong with a plan, or worth a warning, and where. Line and column are counted from 1. */
export interface PlanFault {
  readonly line: number
  readonly column: number
  readonly message: string
}

/** All tasks in the order of the plan. */
export function tasksOf(plan: Plan): readonly PlanTask[] {
  return plan.batches.flatMap((batch) => batch.tasks)
}
