import type { RunRequest } from '../core/submit-run.ts'
import type { PlanOptions } from '../model/plan/plan.ts'
import { runRequestSchema } from '../model/run-request.ts'
import { fieldErrors } from './field-errors.ts'
import { invalidFields, type FieldError } from './problem.ts'

/** The body of a request for a run. `rename` says what the caller calls a field. Throws a problem of status 422. */
export function runRequestOf(
  body: unknown,
  rename: (field: string) => string = (field) => field,
): RunRequest {
  const parsed = runRequestSchema.safeParse(body ?? undefined)
  const faults: FieldError[] = parsed.success ? [] : parsed.error.issues.flatMap(fieldErrors)
  if (faults.length > 0 || !parsed.success || typeof body !== 'object' || body === null) {
    throw invalidFields(faults.map((fault) => ({ ...fault, field: rename(fault.field) })))
  }
  const { repo, planPath, plan, ...defaults } = body as Record<string, unknown>
  const given = { repo: repo as string | undefined, defaults: defaults as PlanOptions }
  if (typeof planPath === 'string' && typeof plan === 'string') {
    throw invalidFields([
      { field: rename('plan'), message: `goes not with ${rename('planPath')}: leave one out` },
    ])
  }
  if (typeof plan === 'string') {
    return {
      source: { kind: 'text', text: plan, name: 'plan' },
      repo: given.repo ?? null,
      defaults: given.defaults,
    }
  }
  if (typeof planPath !== 'string') {
    const message = 'is needed: the path of a plan in the repository, or its text as plan'
    throw invalidFields([{ field: rename('planPath'), message }])
  }
  if (given.repo === undefined) {
    throw invalidFields([{ field: 'repo', message: 'is needed: the repository that holds the plan' }])
  }
  return { source: { kind: 'path', path: planPath }, repo: given.repo, defaults: given.defaults }
}
