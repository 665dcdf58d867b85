import { isGood } from '../model/outcome.ts'
import type { Run } from '../model/run.ts'
import { branchFor, newTaskId } from '../model/task-id.ts'
import type { NewTask } from '../model/task.ts'
import { inOrderOfNeeds } from './order-of-needs.ts'
import { storeTasks, type SubmitOptions, type Submitted } from './submit.ts'
import type { RunContext } from './submit-run.ts'

/** Ends what waits of a run, the last first, so that nothing new starts; asks what runs to end. `null`: no such run. */
export async function cancelRun(context: RunContext, id: string, reason: string): Promise<Run | null> {
  const batches = await context.runs.batches(id)
  if (batches === null) return null
  const open = batches.batches.flatMap((batch) => batch.tasks).filter((task) => task.state !== 'done')
  for (const task of open.toReversed()) await context.submit.store.cancel(task.id, reason)
  return context.runs.find(id)
}

/**
 * The tasks of a run that ended badly, once more, as new tasks of the same run: those that wait for another in it wait
 * for its new try. `null`: there is none that ended badly.
 */
export async function retryRun(
  context: RunContext,
  id: string,
  options: SubmitOptions,
): Promise<Submitted | null> {
  const history = await context.runs.history(id)
  const laterTry = new Map(
    history.flatMap(({ task }) => (task.retryOf === null ? [] : [[task.retryOf, task.id]])),
  )
  const lastTry = (taskId: string): string => {
    let last = taskId
    for (let next = laterTry.get(last); next !== undefined; next = laterTry.get(last)) last = next
    return last
  }
  const failed = history.filter(({ task, outcome }) => {
    return outcome !== null && !isGood(outcome) && !laterTry.has(task.id)
  })
  if (failed.length === 0) return null
  const newIds = new Map(failed.map(({ task }) => [task.id, newTaskId()]))
  const again = failed.map(({ task }): NewTask => {
    const newId = newIds.get(task.id) ?? task.id
    return {
      ...task,
      id: newId,
      branch: task.options.branchNamed ? task.branch : branchFor(newId, task.prompt),
      needs: task.needs.map((need) => newIds.get(lastTry(need)) ?? lastTry(need)),
      retryOf: task.id,
    }
  })
  return storeTasks(
    context.submit,
    inOrderOfNeeds(again),
    { retryOfRun: id, tasks: failed.map(({ task }) => task.id) },
    options,
  )
}
