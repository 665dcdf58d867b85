import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { eventSchema, type TaskEvent } from '../model/event.ts'
import { runBatchesSchema, runSchema, type Run, type RunBatches } from '../model/run.ts'
import { scheduleSchema, type Schedule } from '../model/schedule/schedule.ts'
import type { submissionSchema } from '../model/submission.ts'
import { taskSchema, type Task } from '../model/task.ts'
import type { Limits, QueueStats } from '../ports/queue-stats.ts'
import type { Page } from '../ports/task-store.ts'
import { followEvents } from './event-following.ts'
import { Http, type HttpOptions } from './http.ts'

const limitsSchema = z.object({
  global: z.number().nullable(),
  perRepository: z.number().nullable(),
  perAgent: z.number().nullable(),
})
const statsSchema = z.object({
  states: z.object({ queued: z.number(), held: z.number(), running: z.number(), done: z.number() }),
  outcomes: z.record(z.string(), z.number()),
  paused: z.boolean(),
  limits: limitsSchema,
  holds: z.array(z.object({ account: z.string(), until: z.string(), reason: z.string() })),
  workers: z.array(
    z.object({
      id: z.string(),
      host: z.string(),
      pid: z.number(),
      slots: z.number(),
      running: z.number(),
      seenAt: z.string(),
    }),
  ),
})
const eventListSchema = z.object({ items: z.array(eventSchema) })
const pageSize = 200
const pageSchema = z.object({ items: z.array(taskSchema), nextCursor: z.string().nullable() })
const runPageSchema = z.object({ items: z.array(runSchema), nextCursor: z.string().nullable() })
const scheduleListSchema = z.object({ items: z.array(scheduleSchema) })

/** The body of `POST /tasks`. */
export type Submission = z.input<typeof submissionSchema>

/** The body of `POST /runs`: a plan, or its path in the repository, and options for all its tasks. */
export type PlanRun = Partial<Omit<Submission, 'prompt' | 'needs' | 'branch'>> & {
  readonly planPath?: string
  readonly plan?: string
}

/**
 * A server of Nightshift, from afar. Everything rejects with `ServerProblem` (it refused) or `ServerUnreachable`;
 * what is lost on the way is sent again, and still done once.
 */
export interface Client {
  submit(body: Readonly<Record<string, unknown>>): Promise<Task>
  /** The parameters are those of `GET /tasks`. */
  list(parameters: Readonly<Record<string, string>>): Promise<Page<Task>>
  get(id: string): Promise<Task>
  /** Every event once, until the task is done; connects anew where the connection is lost. */
  events(id: string): AsyncGenerator<TaskEvent, void>
  /** The events that there are now. */
  eventsSoFar(id: string): AsyncGenerator<TaskEvent, void>
  diff(id: string): Promise<Buffer>
  bundle(id: string): Promise<Buffer>
  cancel(id: string): Promise<Task>
  retry(id: string): Promise<Task>
  startRun(body: PlanRun): Promise<Run>
  /** The parameters are those of `GET /runs`. */
  runs(parameters: Readonly<Record<string, string>>): Promise<Page<Run>>
  run(id: string): Promise<Run>
  batches(id: string): Promise<RunBatches>
  cancelRun(id: string): Promise<Run>
  /** Does what failed of a run again. */
  retryRun(id: string): Promise<Run>
  schedules(): Promise<readonly Schedule[]>
  /** The body of `POST /schedules`. */
  addSchedule(body: Readonly<Record<string, unknown>>): Promise<Schedule>
  removeSchedule(name: string): Promise<void>
  pauseSchedule(name: string): Promise<Schedule>
  resumeSchedule(name: string): Promise<Schedule>
  /** Starts a schedule now. */
  runSchedule(name: string): Promise<Run>
  pause(): Promise<QueueStats>
  resume(): Promise<QueueStats>
  stats(): Promise<QueueStats>
  setLimits(limits: Limits): Promise<Limits>
}

export function createClient(options: HttpOptions): Client {
  const http = new Http(options)
  const post = <T>(path: string, shape: z.ZodType<T>, body?: unknown) =>
    http.json(path, shape, {
      method: 'POST',
      headers: { 'idempotency-key': randomUUID() },
      ...(body === undefined ? {} : { body }),
    })
  return {
    submit: (body) => post('/api/v1/tasks', taskSchema, body),
    list: (parameters) =>
      http.json(`/api/v1/tasks?${new URLSearchParams(parameters).toString()}`, pageSchema),
    get: (id) => http.json(taskPath(id), taskSchema),
    events: (id) => followEvents(http, taskPath(id, '/events'), options.signal),
    async *eventsSoFar(id) {
      let after = 0
      for (;;) {
        const path = taskPath(id, `/events?after=${after}&limit=${pageSize}`)
        const { items } = await http.json(path, eventListSchema)
        yield* items
        if (items.length < pageSize) return
        after = items.at(-1)?.id ?? after
      }
    },
    async diff(id) {
      const response = await http.whole(taskPath(id, '/diff'), { headers: { accept: 'text/x-diff' } })
      return Buffer.from(await response.arrayBuffer())
    },
    async bundle(id) {
      const headers = { accept: 'application/x-git-bundle' }
      const response = await http.whole(taskPath(id, '/bundle'), { headers })
      return Buffer.from(await response.arrayBuffer())
    },
    cancel: (id) => http.json(taskPath(id, '/cancel'), taskSchema, { method: 'POST' }),
    retry: (id) => post(taskPath(id, '/retry'), taskSchema),
    startRun: (body) => post('/api/v1/runs', runSchema, body),
    runs: (parameters) =>
      http.json(`/api/v1/runs?${new URLSearchParams(parameters).toString()}`, runPageSchema),
    run: (id) => http.json(runPath(id), runSchema),
    batches: (id) => http.json(runPath(id, '/batches'), runBatchesSchema),
    cancelRun: (id) => http.json(runPath(id, '/cancel'), runSchema, { method: 'POST' }),
    retryRun: (id) => post(runPath(id, '/retry'), runSchema),
    schedules: async () => (await http.json('/api/v1/schedules', scheduleListSchema)).items,
    addSchedule: (body) => post('/api/v1/schedules', scheduleSchema, body),
    removeSchedule: async (name) => void (await http.whole(schedulePath(name), { method: 'DELETE' })),
    pauseSchedule: (name) => post(schedulePath(name, '/pause'), scheduleSchema),
    resumeSchedule: (name) => post(schedulePath(name, '/resume'), scheduleSchema),
    runSchedule: (name) => post(schedulePath(name, '/run'), runSchema),
    pause: () => http.json('/api/v1/pause', statsSchema, { method: 'POST' }),
    resume: () => http.json('/api/v1/resume', statsSchema, { method: 'POST' }),
    stats: () => http.json('/api/v1/stats', statsSchema),
    setLimits: (limits) => http.json('/api/v1/limits', limitsSchema, { method: 'PUT', body: limits }),
  }
}

function runPath(id: string, rest = ''): string {
  return `/api/v1/runs/${encodeURIComponent(id)}${rest}`
}

function schedulePath(name: string, rest = ''): string {
  return `/api/v1/schedules/${encodeURIComponent(name)}${rest}`
}

function taskPath(id: string, rest = ''): string {
  return `/api/v1/tasks/${encodeURIComponent(id)}${rest}`
}
