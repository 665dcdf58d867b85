import { submitRun, type RunRequest, type SubmittedRun } from '../core/submit-run.ts'
import type { ApiContext } from './context.ts'
import { invalidFields, ProblemError } from './problem.ts'
import { submitOptions } from './task-routes.ts'

type Accepted = Extract<SubmittedRun, { kind: 'accepted' }>

/** Stores the run of a request. `rename` says what the caller calls a field. Throws {@link ProblemError}. */
export async function createRun(
  context: ApiContext,
  request: RunRequest,
  idempotencyKey: string | undefined,
  rename: (field: string) => string = (field) => field,
): Promise<Accepted> {
  const submitted = await submitRun(context.system.runContext, request, submitOptions(idempotencyKey))
  return acceptedRun(submitted, rename)
}

/** The run that was taken. Throws {@link ProblemError} where none was. */
export function acceptedRun(
  submitted: SubmittedRun,
  rename: (field: string) => string = (field) => field,
): Accepted {
  switch (submitted.kind) {
    case 'accepted':
      return submitted
    case 'faulty':
      throw invalidFields(submitted.faults.map((fault) => ({ ...fault, field: rename(fault.field) })))
    case 'key_reused':
      throw new ProblemError(
        'idempotency-key-reused',
        `the key ${submitted.key} was used for another request in the last 24 hours; use a new one`,
      )
    case 'unreachable':
      throw new ProblemError('remote-away', submitted.message, { headers: { 'retry-after': '30' } })
    default:
      return submitted satisfies never
  }
}

/** The headers of an answer that created a run. */
export function runHeaders({
  runId,
  repeated,
}: Pick<Accepted, 'runId' | 'repeated'>): Record<string, string> {
  return {
    location: `/api/v1/runs/${runId}`,
    ...(repeated ? { 'idempotency-replayed': 'true' } : {}),
  }
}
