import { z } from 'zod'
import { alsoWithFaults } from '../also-with-faults.ts'
import { submissionSchema } from '../submission.ts'
import { taskOptionsShape } from '../task-options.ts'
import { cronFault, isTimeZone } from './cron.ts'
import { windowSchema } from './window.ts'

const { branch: _branch, maxCost: _maxCost, ...options } = taskOptionsShape

export const scheduleNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores')

/** The body of `POST /schedules`: when, and a task, or a plan and options for its tasks. */
export const newScheduleSchema = z
  .strictObject({
    name: scheduleNameSchema,
    cron: z
      .string()
      .max(200)
      .superRefine((pattern, context) => {
        const fault = cronFault(pattern)
        if (fault !== null) context.addIssue(fault)
      })
      .meta({ description: 'Five fields: minute hour day month weekday.', examples: ['30 2 * * 1-5'] }),
    timeZone: z
      .string()
      .max(64)
      .refine(isTimeZone, 'is no time zone that is known here; write one such as Europe/Berlin')
      .default('UTC')
      .meta({ description: 'Whose clock the pattern goes by; changes of the clock are followed.' }),
    overlap: z
      .enum(['skip', 'queue'])
      .default('skip')
      .meta({ description: 'While its last run is under way: leave this one out, or start it afterwards.' }),
    missed: z.enum(['skip', 'once']).default('skip').meta({
      description: 'Times at which no process was there: leave them out, or make up for them once.',
    }),
    window: windowSchema.optional(),
    maxCost: z
      .number()
      .positive()
      .max(100_000)
      .optional()
      .meta({ description: 'US dollars that all tasks of one night may cost together.' }),
    task: z
      .looseObject({})
      .optional()
      .meta({ description: 'One task, as the body of POST /tasks; instead of repo and planPath.' }),
    repo: submissionSchema.shape.repo.optional().meta({ description: 'The repository that holds the plan.' }),
    planPath: z
      .string()
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: 'The plan, read each time from the base.' }),
    ...options,
  })
  .superRefine((schedule, context) => {
    const { task, planPath, repo: place } = schedule
    if (task !== undefined && planPath !== undefined) {
      context.addIssue({ code: 'custom', path: ['task'], message: 'goes not with planPath: leave one out' })
    }
    if (task === undefined && planPath === undefined) {
      context.addIssue({ code: 'custom', path: ['task'], message: 'is needed, or repo and planPath' })
    }
    if (planPath !== undefined && place === undefined) {
      context.addIssue({
        code: 'custom',
        path: ['repo'],
        message: 'is needed: the repository that holds the plan',
      })
    }
    if (task === undefined) return
    for (const field of [...Object.keys(options), 'repo']) {
      if (schedule[field as keyof typeof schedule] === undefined) continue
      context.addIssue({ code: 'custom', path: [field], message: 'goes with planPath; write it into task' })
    }
  }, alsoWithFaults)
  .meta({ id: 'NewSchedule' })

/** When, and what, as it was asked for. */
export interface ScheduleDefinition {
  readonly name: string
  readonly cron: string
  readonly timeZone: string
  readonly overlap: 'skip' | 'queue'
  readonly missed: 'skip' | 'once'
  readonly window: string | null
  /** US dollars a night. */
  readonly maxCost: number | null
  readonly work: ScheduledWork
}

export type ScheduledWork =
  /** The body of `POST /tasks`. */
  | { readonly kind: 'task'; readonly task: Readonly<Record<string, unknown>> }
  | {
      readonly kind: 'plan'
      readonly repo: string
      readonly planPath: string
      /** Options for all tasks of the plan. */
      readonly defaults: Readonly<Record<string, unknown>>
    }

/** How one time of a schedule went. */
export const firingStates = ['pending', 'waiting', 'started', 'skipped', 'failed'] as const
export type FiringState = (typeof firingStates)[number]

const firingSchema = z.object({
  at: z.iso.datetime(),
  state: z.enum(firingStates),
  runId: z.string().nullable(),
  reason: z.string().nullable().meta({ description: 'Why it was left out or failed.' }),
})
export type Firing = z.infer<typeof firingSchema>

/** A schedule as API and command line show it. */
export const scheduleSchema = z
  .object({
    name: z.string(),
    cron: z.string(),
    timeZone: z.string(),
    overlap: z.enum(['skip', 'queue']),
    missed: z.enum(['skip', 'once']),
    window: z.string().nullable(),
    maxCost: z.number().nullable(),
    task: z.looseObject({}).nullable(),
    repo: z.string().nullable(),
    planPath: z.string().nullable(),
    defaults: z.looseObject({}).meta({ description: 'Options for all tasks of the plan.' }),
    paused: z.boolean(),
    next: z.array(z.iso.datetime()).meta({ description: 'The next five times; none while it is paused.' }),
    last: firingSchema.nullable().meta({ description: 'How its last time went.' }),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Schedule' })
export type Schedule = z.infer<typeof scheduleSchema>
