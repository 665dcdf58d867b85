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
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body)
  const { repo, planPath, plan, ...defaults } = (isObject ? body : {}) as Record<string, unknown>
  if (isObject) faults.push(...planFaults({ repo, planPath, plan }, rename))
  if (faults.length > 0) {
    throw invalidFields(faults.map((fault) => ({ ...fault, field: rename(fault.field) })))
  }
  const given = { repo: (repo ?? null) as string | null, defaults: defaults as PlanOptions }
  if (typeof plan === 'string') return { source: { kind: 'text', text: plan, name: 'plan' }, ...given }
  return { source: { kind: 'path', path: String(planPath) }, ...given }
}

/** One plan is needed, and where it is only named, the repository that holds it. */
function planFaults(
  { repo, planPath, plan }: Readonly<Record<'repo' | 'planPath' | 'plan', unknown>>,
  rename: (field: string) => string,
): FieldError[] {
  if (plan !== undefined) {
    if (planPath === undefined) return []
    return [{ field: 'plan', message: `goes not with ${rename('planPath')}: leave one out` }]
  }
  const faults: FieldError[] = []
  if (repo === undefined)
    faults.push({ field: 'repo', message: 'is needed: the repository that holds the plan' })
  if (planPath === undefined) {
    const message = 'is needed: the path of a plan in the repository, or its text as plan'
    faults.push({ field: 'planPath', message })
  }
  return faults
}
