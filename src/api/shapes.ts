import { z } from '@hono/zod-openapi'
import { eventSchema } from '../model/event.ts'
import { outcomes } from '../model/outcome.ts'
import { runSchema } from '../model/run.ts'
import { holds, states, taskSchema } from '../model/task.ts'

/** The id of a task in a path. */
export const taskParams = z.object({
  id: z.string().meta({
    description: 'The id of a task, or the end of one, at least 4 characters, where only one task ends so.',
    example: '4k2m9qxz',
  }),
})

function wholeNumber(bounds: { min: number; max: number }) {
  const message = `must be a whole number from ${bounds.min} to ${bounds.max}`
  return z
    .string()
    .regex(/^\d{1,15}$/, message)
    .transform(Number)
    .refine((value) => value >= bounds.min && value <= bounds.max, message)
}

const plainText = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .refine((text) => !text.includes('\0') && text.isWellFormed(), 'must be text without NUL')

export const taskListQuery = z.strictObject({
  state: z.enum(states).optional(),
  outcome: z.enum(outcomes).optional(),
  repo: plainText(2000).optional().meta({ description: 'As the task shows it.' }),
  runId: plainText(64).optional(),
  limit: wholeNumber({ min: 1, max: 200 }).optional().meta({ description: '1 to 200; 50 by default.' }),
  cursor: z
    .string()
    .regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'must be what nextCursor of the page before said')
    .optional()
    .meta({ description: 'nextCursor of the page before.' }),
})

export const eventsQuery = z.strictObject({
  after: wholeNumber({ min: 0, max: Number.MAX_SAFE_INTEGER })
    .optional()
    .meta({ description: 'Only events with greater ids.' }),
  limit: wholeNumber({ min: 1, max: 500 })
    .optional()
    .meta({ description: '1 to 500; 200 by default. Of no meaning for server-sent events.' }),
})

export const logQuery = z.strictObject({
  follow: z.enum(['0', '1']).optional().meta({ description: '1: goes on until the task is done.' }),
})

export const taskPageSchema = z.object({
  items: z.array(taskSchema),
  nextCursor: z.string().nullable().meta({ description: 'null: this is the last page.' }),
})

export const runParams = z.object({
  id: z.string().meta({
    description: 'The id of a run, or the end of one, at least 4 characters, where only one run ends so.',
    example: '7t3c5v1n',
  }),
})

export const runListQuery = z.strictObject({
  schedule: plainText(64).optional().meta({ description: 'Only runs that this schedule started.' }),
  limit: wholeNumber({ min: 1, max: 200 }).optional().meta({ description: '1 to 200; 50 by default.' }),
  cursor: z
    .string()
    .regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'must be what nextCursor of the page before said')
    .optional()
    .meta({ description: 'nextCursor of the page before.' }),
})

export const runPageSchema = z.object({
  items: z.array(runSchema),
  nextCursor: z.string().nullable().meta({ description: 'null: this is the last page.' }),
})

export const eventListSchema = z.object({ items: z.array(eventSchema) })

const bound = (what: string) =>
  z
    .int()
    .min(1)
    .max(100_000)
    .nullable()
    .meta({ description: `${what}; null: no bound.` })

/** Limits as they are shown and set: all three, so that none is changed by leaving it out. */
export const limitsSchema = z.strictObject({
  global: bound('Tasks that run at the same time, over all processes'),
  perRepository: bound('The same, of one repository'),
  perAgent: bound('The same, of one agent'),
})

const count = z.int().nonnegative()

export const statsSchema = z.object({
  states: z.record(z.enum(states), count),
  outcomes: z.record(z.string(), count).meta({ description: 'Tasks that are done, by outcome.' }),
  paused: z.boolean(),
  limits: limitsSchema,
  holds: z
    .array(z.object({ account: z.string(), until: z.iso.datetime(), reason: z.string() }))
    .meta({ description: 'Accounts of model providers that are closed for now.' }),
  workers: z.array(
    z.object({
      id: z.string(),
      host: z.string(),
      pid: z.int(),
      slots: count,
      running: count,
      seenAt: z.iso.datetime(),
    }),
  ),
})

const durations = z.object({ count, p50Ms: z.number(), p95Ms: z.number() })

/** What GET /stats says: the queue, and numbers for operators. */
export const fullStatsSchema = statsSchema.extend({
  heldBy: z.partialRecord(z.enum(holds), count).meta({ description: 'Held tasks by what they wait for.' }),
  oldestQueuedSeconds: z.number().nullable().meta({ description: 'null: none is queued.' }),
  spent: z
    .object({ costUsd: z.number(), inputTokens: z.number(), outputTokens: z.number() })
    .meta({ description: 'What agents reported, of tasks that ended in the last 24 hours.' }),
  pickUp: durations
    .nullable()
    .meta({ description: 'From queued to the first step, last 500 tasks that ended.' }),
  steps: z.record(z.string(), durations).meta({ description: 'The same for each step.' }),
  databaseBytes: count,
  diskFreeBytes: count.nullable().meta({ description: 'Free where this process works.' }),
  engines: z
    .array(
      z.object({
        engine: z.string(),
        slots: count,
        tasks: count,
        up: z.boolean(),
        diskFreeBytes: count.nullable(),
      }),
    )
    .meta({ description: 'Of the runtime dagger, as this process knows them without asking.' }),
})

export const readinessSchema = z.object({ ready: z.boolean(), reasons: z.array(z.string()) })

/** Visible ASCII, so that it survives every proxy and log. */
export const idempotencyHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
    .optional()
    .meta({
      description:
        'The same key and body again, within 24 hours: the same answer, and nothing is created. Another body: 422.',
    }),
})
