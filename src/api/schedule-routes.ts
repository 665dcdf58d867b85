import { randomUUID } from 'node:crypto'
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import { definitionOf, isSame, toSchedule, workFaults } from '../core/schedules/define.ts'
import { fire } from '../core/schedules/fire.ts'
import { newScheduleSchema } from '../model/schedule/schedule.ts'
import type { StoredSchedule } from '../ports/schedule-store.ts'
import { jsonOf } from './components.ts'
import { runOf, type ApiContext } from './context.ts'
import { fieldErrors } from './field-errors.ts'
import { readJsonBody, readNoBody } from './json-body.ts'
import { invalidFields, ProblemError } from './problem.ts'
import { answers } from './responses.ts'
import { acceptedRun, runHeaders } from './run-creation.ts'
import { idempotencyHeaders } from './shapes.ts'

const tags = ['Schedules']
const content = jsonOf('Schedule')
const params = z.object({ name: z.string() })
const shown = { description: 'The schedule', content }

const listRoute = createRoute({
  method: 'get',
  path: '/schedules',
  tags,
  summary: 'List schedules, with their next five times',
  responses: answers({ 200: { description: 'All of them', content: jsonOf('ScheduleList') } }, []),
})

const createScheduleRoute = createRoute({
  method: 'post',
  path: '/schedules',
  tags,
  summary: 'Add a schedule',
  description: 'The same schedule once more changes nothing; another of its name is refused.',
  request: { headers: idempotencyHeaders, body: { required: true, content: jsonOf('NewSchedule') } },
  responses: answers({ 201: shown }, ['conflict'], true),
})

const showRoute = createRoute({
  method: 'get',
  path: '/schedules/{name}',
  tags,
  summary: 'Show a schedule',
  request: { params },
  responses: answers({ 200: shown }, ['not-found']),
})

const removeRoute = createRoute({
  method: 'delete',
  path: '/schedules/{name}',
  tags,
  summary: 'Remove a schedule',
  description: 'What it started goes on.',
  request: { params },
  responses: answers({ 204: { description: 'It is gone' } }, ['not-found'], true),
})

const removeByQueryRoute = createRoute({
  method: 'delete',
  path: '/schedules',
  tags,
  summary: 'Remove a schedule named in the query',
  request: { query: z.strictObject({ name: z.string() }) },
  responses: answers({ 204: { description: 'It is gone' } }, ['not-found'], true),
})

const runRoute = createRoute({
  method: 'post',
  path: '/schedules/{name}/run',
  tags,
  summary: 'Start a schedule now',
  description: 'Whatever its times and its last run are.',
  request: { params, headers: idempotencyHeaders },
  responses: answers(
    { 202: { description: 'The new run', content: jsonOf('Run') } },
    ['not-found', 'idempotency-key-reused', 'remote-away'],
    true,
  ),
})

const pauseRoutes = (['pause', 'resume'] as const).map((verb) =>
  createRoute({
    method: 'post',
    path: `/schedules/{name}/${verb}`,
    tags,
    summary: verb === 'pause' ? 'Let a schedule start nothing' : 'Let a schedule start again',
    request: { params },
    responses: answers({ 200: shown }, ['not-found'], true),
  }),
)

/** Adding, listing, showing, removing, pausing and starting schedules. */
export function addScheduleRoutes(api: OpenAPIHono, context: ApiContext): void {
  const { schedules, runContext } = context.system
  const show = (stored: StoredSchedule) => toSchedule(stored, new Date())

  async function scheduleOf(name: string): Promise<StoredSchedule> {
    const stored = name.length > 64 ? null : await schedules.get(name)
    if (stored !== null) return stored
    throw new ProblemError('not-found', `there is no schedule ${JSON.stringify(name.slice(0, 64))}`)
  }

  async function remove(name: string): Promise<Response> {
    await scheduleOf(name)
    await schedules.remove(name)
    return new Response(null, { status: 204 })
  }

  api.openapi(listRoute, async () => Response.json({ items: (await schedules.list()).map(show) }))

  api.openapi(createScheduleRoute, async (c) => {
    const body = await readJsonBody(c.req.raw)
    const parsed = newScheduleSchema.safeParse(body)
    if (!parsed.success) throw invalidFields(parsed.error.issues.flatMap(fieldErrors))
    const definition = definitionOf(parsed.data, body as Record<string, unknown>)
    const faults = await workFaults(runContext, definition)
    if (faults.length > 0) throw invalidFields(faults)
    const isNew = await schedules.create(definition)
    const stored = await scheduleOf(definition.name)
    if (!isNew && !isSame(stored, definition)) {
      throw new ProblemError('conflict', `there is another schedule ${definition.name}; remove it first`)
    }
    return Response.json(show(stored), {
      status: 201,
      headers: { location: `/api/v1/schedules/${definition.name}` },
    })
  })

  api.openapi(showRoute, async (c) => Response.json(show(await scheduleOf(c.req.param('name')))))

  api.openapi(removeRoute, (c) => remove(c.req.param('name')))

  api.openapi(removeByQueryRoute, (c) => remove(c.req.valid('query').name))

  api.openapi(runRoute, async (c) => {
    const key = c.req.valid('header')['idempotency-key'] ?? randomUUID()
    await readNoBody(c.req.raw)
    const schedule = await scheduleOf(c.req.param('name'))
    const created = acceptedRun(await fire(runContext, schedule, new Date(), key))
    const run = await runOf(context, created.runId)
    return Response.json(run, { status: 202, headers: runHeaders(created) })
  })

  for (const route of pauseRoutes) {
    api.openapi(route, async (c) => {
      await readNoBody(c.req.raw)
      const { name } = await scheduleOf(c.req.param('name') ?? '')
      await schedules.setPaused(name, route.path.endsWith('/pause'))
      return Response.json(show(await scheduleOf(name)))
    })
  }
}
