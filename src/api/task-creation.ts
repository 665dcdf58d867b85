import type { Submitted } from '../core/submit.ts'
import type { Task } from '../model/task.ts'
import { invalidFields, ProblemError } from './problem.ts'

/**
 * The answer to a request that creates one task: 202 with Location. `rename` says what the caller calls a field.
 * Throws {@link ProblemError} 422.
 */
export function createdTask(
  submitted: Submitted,
  rename: (field: string) => string = (field) => field,
): Response {
  switch (submitted.kind) {
    case 'faulty':
      throw invalidFields(submitted.faults.map((fault) => ({ ...fault, field: rename(fault.field) })))
    case 'key_reused':
      throw new ProblemError(
        'idempotency-key-reused',
        `the key ${submitted.key} was used for another request in the last 24 hours; use a new one`,
      )
    case 'already_retried':
      throw new ProblemError('conflict', `${submitted.ids.join(', ')}: is being done again already`)
    case 'accepted':
      return accepted(submitted.tasks, submitted.repeated)
    default:
      return submitted satisfies never
  }
}

function accepted(tasks: readonly Task[], repeated: boolean): Response {
  const [task] = tasks
  if (task === undefined) throw new Error('a request was accepted without a task')
  return Response.json(task, {
    status: 202,
    headers: {
      location: `/api/v1/tasks/${task.id}`,
      ...(repeated ? { 'idempotency-replayed': 'true' } : {}),
    },
  })
}
