import { parsePlan } from '../model/plan/parse.ts'
import type { Plan, PlanFault, PlanOptions, PlanTask } from '../model/plan/plan.ts'
import { lineOfField, requestOf } from '../model/plan/requests.ts'
import { newTaskId } from '../model/task-id.ts'
import type { NewRun } from '../model/run.ts'
import type { NewTask, Task } from '../model/task.ts'
import type { Repositories } from '../ports/repositories.ts'
import type { RunStore } from '../ports/run-store.ts'
import type { Pinned } from '../ports/lease.ts'
import { inOrderOfNeeds } from './order-of-needs.ts'
import { findPlan, type PlanReader, type PlanSource } from './plan-source.ts'
import { judge } from './judge-submission.ts'
import { storeTasks, type FieldFault, type SubmitContext, type SubmitOptions } from './submit.ts'

export interface RunContext {
  readonly submit: SubmitContext
  readonly runs: RunStore
  readonly publisher: PlanReader
}

/** What a person asks for with a plan. */
export interface RunRequest {
  readonly source: PlanSource
  /** Where the tasks work; for a plan in a repository: that one. `null`: the plan says it. */
  readonly repo: string | null
  /** Options for all tasks, in the place of the front matter's; `base` also says where the plan is read. */
  readonly defaults: PlanOptions
  /** The schedule that starts it. */
  readonly schedule?: string
  /** The time of the schedule; ISO 8601. */
  readonly scheduledFor?: string
  /** No task starts for the first time after this; ISO 8601. */
  readonly startsUntil?: string
  readonly maxCostUsd?: number
}

export type SubmittedRun =
  | {
      kind: 'accepted'
      runId: string
      tasks: readonly Task[]
      warnings: readonly PlanFault[]
      /** The key was used before: this is the run of then. */
      repeated: boolean
    }
  | { kind: 'faulty'; faults: readonly FieldFault[] }
  | { kind: 'key_reused'; key: string }
  /** The repository that holds the plan does not answer now. */
  | { kind: 'unreachable'; message: string }

/** The one way in for plans: reads and judges one whole, and stores its tasks as those of one run. */
export async function submitRun(
  context: RunContext,
  request: RunRequest,
  options: SubmitOptions,
): Promise<SubmittedRun> {
  const base = typeof request.defaults.base === 'string' ? request.defaults.base : null
  const at = { repo: request.repo, base, door: options.door }
  const found = await findPlan(context.submit, context.publisher, request.source, at)
  if (!found.ok) {
    return found.faults === null
      ? { kind: 'unreachable', message: found.message }
      : { kind: 'faulty', faults: found.faults }
  }
  const field = request.source.kind === 'path' ? 'planPath' : 'plan'
  const parsed = parsePlan(found.text)
  if (!parsed.ok) {
    const faults = parsed.faults.map(({ line, column, message }) => ({
      field,
      message: `${found.name}:${line}:${column}: ${message}`,
      line,
    }))
    return { kind: 'faulty', faults }
  }
  const { plan, warnings } = parsed
  const repo = repositoryOf(request, plan)
  if (repo === null) {
    const message = 'is needed: the plan names no repository that this door can find by itself'
    return { kind: 'faulty', faults: [{ field: 'repo', message }] }
  }
  const runId = newTaskId()
  const judged = await judgeTasks(
    context.submit,
    plan,
    { ...request, repo, name: found.name, field },
    runId,
    options,
  )
  if (!judged.ok) return { kind: 'faulty', faults: judged.faults }
  const [first] = judged.tasks
  if (first === undefined) return { kind: 'faulty', faults: [{ field, message: 'the plan has no task' }] }
  const run = {
    id: runId,
    title: plan.title,
    repo: first.repo,
    base: base ?? (typeof plan.defaults.base === 'string' ? plan.defaults.base : null),
    planPath: request.source.kind === 'path' ? request.source.path : null,
    schedule: request.schedule ?? null,
    scheduledFor: request.scheduledFor ?? null,
    batches: plan.batches.map(({ id, title }) => ({ id, title })),
    startsUntil: request.startsUntil ?? null,
    maxCostUsd: request.maxCostUsd ?? null,
  }
  // What was read from another repository says nothing of this one's base.
  const pinned = found.pinned !== null && repo === request.repo ? found.pinned : null
  return stored(context, judged.tasks, request, options, { run, pinned }, warnings)
}

/** A run of one task, which a schedule starts. */
export interface SingleRequest {
  /** The body of `POST /tasks`. */
  readonly task: unknown
  readonly title: string
  readonly schedule: string
  readonly scheduledFor?: string
  readonly startsUntil?: string
  readonly maxCostUsd?: number
}

/** One task, as a run of its own: so that a night has one shape. */
export async function submitSingle(
  context: RunContext,
  request: SingleRequest,
  options: SubmitOptions,
): Promise<SubmittedRun> {
  const judged = await judge(context.submit, request.task, options.door)
  if (!judged.ok) {
    return {
      kind: 'faulty',
      faults: judged.faults.map((fault) => ({ ...fault, field: `task.${fault.field}` })),
    }
  }
  const runId = newTaskId()
  const place = { runId, batch: '1', batchNumber: 0, order: 0, planTask: '1' }
  const task: NewTask = { ...judged.task, place }
  const run = {
    id: runId,
    title: request.title,
    repo: task.repo,
    base: task.base,
    planPath: null,
    schedule: request.schedule,
    scheduledFor: request.scheduledFor ?? null,
    batches: [{ id: '1', title: '' }],
    startsUntil: request.startsUntil ?? null,
    maxCostUsd: request.maxCostUsd ?? null,
  }
  return stored(context, [task], request, options, { run, pinned: null }, [])
}

async function stored(
  context: RunContext,
  tasks: readonly NewTask[],
  request: unknown,
  options: SubmitOptions,
  run: { run: NewRun; pinned: Pinned | null },
  warnings: readonly PlanFault[],
): Promise<SubmittedRun> {
  const answer = await storeTasks(context.submit, tasks, request, options, run)
  if (answer.kind === 'already_retried') throw new Error('a new run repeats no task')
  if (answer.kind !== 'accepted') return answer
  const runId = answer.tasks[0]?.runId ?? run.run.id
  return { kind: 'accepted', runId, tasks: answer.tasks, warnings, repeated: answer.repeated }
}

/** The repository that holds a plan is `.` in it, and is what holds where it names none. */
function repositoryOf(request: RunRequest, plan: Plan): string | null {
  const named = plan.repo === '.' ? null : plan.repo
  return request.source.kind === 'path' ? (named ?? request.repo) : (request.repo ?? named)
}

interface Placed {
  readonly repo: string
  readonly defaults: PlanOptions
  readonly name: string
  readonly field: string
}

async function judgeTasks(
  submit: SubmitContext,
  plan: Plan,
  placed: Placed,
  runId: string,
  { door }: SubmitOptions,
): Promise<{ ok: true; tasks: readonly NewTask[] } | { ok: false; faults: readonly FieldFault[] }> {
  const context = { ...submit, repositories: locateOnce(submit.repositories) }
  const faults = new Map<string, FieldFault>()
  const tasks: NewTask[] = []
  const ids = new Map<string, string>()
  for (const [batchNumber, batch] of plan.batches.entries()) {
    for (const planTask of batch.tasks) {
      const judged = await judge(context, requestOf(plan, planTask, placed.repo, placed.defaults), door)
      if (!judged.ok) {
        for (const fault of judged.faults) addFault(faults, placed, plan, planTask, fault)
        continue
      }
      const place = { runId, batch: batch.id, batchNumber, order: tasks.length, planTask: planTask.id }
      ids.set(planTask.id, judged.task.id)
      tasks.push({ ...judged.task, place, needs: planTask.needs })
    }
  }
  if (faults.size > 0) return { ok: false, faults: [...faults.values()] }
  const idOf = (id: string) => ids.get(id) ?? id
  return { ok: true, tasks: inOrderOfNeeds(tasks.map((task) => ({ ...task, needs: task.needs.map(idOf) }))) }
}

/** A fault of one task of a plan, told once for all tasks that have it from the same place. */
function addFault(
  faults: Map<string, FieldFault>,
  placed: Placed,
  plan: Plan,
  task: PlanTask,
  { field, message }: FieldFault,
): void {
  const [name = ''] = field.split(/[.[]/)
  const isGiven = name in placed.defaults && !(name in task.options)
  if (name === 'repo' || isGiven) {
    faults.set(`${field} ${message}`, { field, message })
    return
  }
  const line = lineOfField(plan, task, field)
  const what = name in task.optionLines || !(name in plan.defaultLines) ? `task ${task.id}: ` : ''
  const key = `${line} ${field} ${message}`
  if (!faults.has(key)) {
    faults.set(key, {
      field: placed.field,
      message: `${placed.name}:${line}: ${what}${field}: ${message}`,
      line,
    })
  }
}

function locateOnce(repositories: Repositories): Repositories {
  const known = new Map<string, ReturnType<Repositories['locate']>>()
  return {
    locate(repo, door) {
      const located = known.get(repo) ?? repositories.locate(repo, door)
      known.set(repo, located)
      return located
    },
  }
}
