import { z } from 'zod'
import { isGood, type Outcome } from './outcome.ts'
import { states, taskSchema, type State, type Task } from './task.ts'

/** A batch of a run, as the plan has it. */
export interface RunBatch {
  readonly id: string
  readonly title: string
}

/** A run ready to be stored, with its tasks. */
export interface NewRun {
  readonly id: string
  readonly title: string
  readonly repo: string
  readonly base: string | null
  readonly planPath: string | null
  readonly schedule: string | null
  /** The time of the schedule that it was started for; ISO 8601. */
  readonly scheduledFor: string | null
  readonly batches: readonly RunBatch[]
  /** No task starts for the first time after this; ISO 8601. */
  readonly startsUntil: string | null
  /** US dollars that all tasks together may cost. */
  readonly maxCostUsd: number | null
}

const count = z.int().nonnegative()

/** A run as API and command line show it. Everything about its progress is read from its tasks. */
export const runSchema = z
  .object({
    id: z.string(),
    state: z.enum(states).meta({ description: 'done: all its tasks are. running: it is under way.' }),
    ok: z
      .boolean()
      .nullable()
      .meta({ description: 'Whether all tasks ended well; null until all are done.' }),
    title: z.string(),
    repo: z.string(),
    base: z.string().nullable(),
    planPath: z.string().nullable().meta({ description: 'null: the plan came with the request.' }),
    schedule: z.string().nullable().meta({ description: 'The schedule that started it.' }),
    scheduledFor: z.iso.datetime().nullable().meta({ description: 'The time of the schedule.' }),
    tasks: count.meta({ description: 'Tasks of the plan; one that is done again counts once.' }),
    states: z.record(z.enum(states), count),
    outcomes: z.record(z.string(), count),
    startsUntil: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'No task starts for the first time later.' }),
    maxCost: z.number().nullable().meta({ description: 'US dollars for all tasks together.' }),
    costUsd: z.number().nullable().meta({ description: 'What its agents cost so far; null: not known.' }),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    endedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Run' })
export type Run = z.infer<typeof runSchema>

/** A run, batch by batch. */
export const runBatchesSchema = z
  .object({
    id: z.string(),
    state: z.enum(states),
    ok: z.boolean().nullable(),
    batches: z.array(
      z.object({
        id: z.string(),
        number: z.int().positive(),
        title: z.string(),
        state: z.enum(states),
        ok: z.boolean().nullable(),
        tasks: z.array(taskSchema).meta({ description: 'In the order of the plan.' }),
      }),
    ),
  })
  .meta({ id: 'RunBatches' })
export type RunBatches = z.infer<typeof runBatchesSchema>

/** What several tasks come to: numbers by state and by outcome. */
export interface Tally {
  readonly states: Record<State, number>
  readonly outcomes: Partial<Record<Outcome, number>>
}

export function emptyTally(): Tally {
  return { states: { queued: 0, held: 0, running: 0, done: 0 }, outcomes: {} }
}

/** How the whole stands, from its parts. */
export function standingOf({ states: by, outcomes }: Tally): { state: State; ok: boolean | null } {
  const open = by.queued + by.held + by.running
  if (open === 0) {
    return { state: 'done', ok: Object.keys(outcomes).every((outcome) => isGood(outcome as Outcome)) }
  }
  if (by.running > 0 || by.done > 0) return { state: 'running', ok: null }
  return { state: by.queued > 0 ? 'queued' : 'held', ok: null }
}

/** The tasks of a run, which come in the order of the plan, batch by batch. */
export function batchesOf(id: string, batches: readonly RunBatch[], tasks: readonly Task[]): RunBatches {
  const byBatch = Map.groupBy(tasks, (task) => task.batch)
  return {
    id,
    ...standingOf(tally(tasks)),
    batches: batches.map((batch, index) => {
      const own = byBatch.get(batch.id) ?? []
      return { ...batch, number: index + 1, ...standingOf(tally(own)), tasks: own }
    }),
  }
}

function tally(tasks: readonly Task[]): Tally {
  const result = emptyTally()
  for (const { state, outcome } of tasks) {
    result.states[state] += 1
    if (outcome !== null) result.outcomes[outcome] = (result.outcomes[outcome] ?? 0) + 1
  }
  return result
}
