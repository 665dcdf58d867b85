import { z } from 'zod'

export const steps = [
  'prepare',
  'clone',
  'setup',
  'agent',
  'commit',
  'hand-over',
  'policy',
  'checks',
  'push',
  'confirm',
  'propose',
  'review',
  'fix',
  'merge',
  'settle',
] as const
export const stepSchema = z.enum(steps)
export type Step = z.infer<typeof stepSchema>

/**
 * What happened, as it is stored and sent. `step.started`, `step.ended`: the pipeline's way. `output`: what a process
 * in a sandbox printed, whole lines, secrets masked. `note`: a fact worth telling. `state`: the task's own life.
 */
export const eventTypes = ['state', 'step.started', 'step.ended', 'output', 'note'] as const

export const eventSchema = z
  .object({
    id: z
      .int()
      .nonnegative()
      .meta({ description: 'Grows within a task; the Last-Event-ID of server-sent events.' }),
    taskId: z.string(),
    attempt: z.int().nonnegative(),
    at: z.iso.datetime(),
    type: z.enum(eventTypes),
    step: stepSchema.nullable(),
    text: z.string().meta({ description: 'Output, or a sentence.' }),
    data: z.record(z.string(), z.unknown()).meta({ description: 'Facts behind the text, e.g. durationMs.' }),
  })
  .meta({ id: 'Event' })
export type TaskEvent = z.infer<typeof eventSchema>

/** An event on its way into the store. */
export interface NewEvent extends Pick<TaskEvent, 'type' | 'step' | 'text' | 'data'> {
  /** Milliseconds since it happened, for those that are written some time later. */
  readonly agoMs?: number
}
