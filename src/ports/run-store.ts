import type { Outcome } from '../model/outcome.ts'
import type { Run, RunBatches } from '../model/run.ts'
import type { NewTask } from '../model/task.ts'
import type { Page } from './task-store.ts'

/** Runs, as their tasks tell of them; they are stored by {@link TaskStore.submit}. */
export interface RunStore {
  /** By its whole id, or by the end of one where only one run ends so. */
  find(idOrEnd: string): Promise<Run | null>
  /** Newest first. `limit`: 1 to 200; `cursor`: what the page before said. */
  list(filter: { limit: number; cursor?: string; schedule?: string }): Promise<Page<Run>>
  /** Found as by {@link find}: its tasks by batch, in the order of the plan; one that was done again stands there as its last try. */
  batches(idOrEnd: string): Promise<RunBatches | null>
  /** Every task that it ever had, as it was asked for, in the order of the plan and of its tries, and how it ended. */
  history(id: string): Promise<readonly { readonly task: NewTask; readonly outcome: Outcome | null }[]>
}
