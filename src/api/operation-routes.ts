import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import { jsonOf } from './components.ts'
import type { ApiContext } from './context.ts'
import { fieldErrors } from './field-errors.ts'
import { readJsonBody, readNoBody } from './json-body.ts'
import { invalidFields } from './problem.ts'
import { answers } from './responses.ts'
import { limitsSchema } from './shapes.ts'

const tags = ['Operations']
const stats = { description: 'The queue', content: jsonOf('Stats') }
const limits = { description: 'The limits', content: jsonOf('Limits') }

const pauseRoute = createRoute({
  method: 'post',
  path: '/pause',
  tags,
  summary: 'Start no more tasks',
  description: 'What runs goes on to its end; what is queued waits, also over restarts.',
  responses: answers({ 200: stats }, [], true),
})

const resumeRoute = createRoute({
  method: 'post',
  path: '/resume',
  tags,
  summary: 'Start tasks again',
  responses: answers({ 200: stats }, [], true),
})

const statsRoute = createRoute({
  method: 'get',
  path: '/stats',
  tags,
  summary: 'The queue and its workers in numbers',
  responses: answers({ 200: { description: 'The queue', content: jsonOf('FullStats') } }, []),
})

const showLimitsRoute = createRoute({
  method: 'get',
  path: '/limits',
  tags,
  summary: 'How many tasks may run at the same time',
  responses: answers({ 200: limits }, []),
})

const setLimitsRoute = createRoute({
  method: 'put',
  path: '/limits',
  tags,
  summary: 'Set how many tasks may run at the same time',
  description: 'Holds for all processes. What runs already is not ended.',
  request: {
    body: {
      required: true,
      content: jsonOf('Limits'),
    },
  },
  responses: answers({ 200: limits }, [], true),
})

/** Pause, resume, numbers and limits. */
export function addOperationRoutes(api: OpenAPIHono, context: ApiContext): void {
  const { store } = context.system

  api.openapi(pauseRoute, async (c) => {
    await readNoBody(c.req.raw)
    await store.pause()
    return Response.json(await store.stats())
  })

  api.openapi(resumeRoute, async (c) => {
    await readNoBody(c.req.raw)
    await store.resume()
    return Response.json(await store.stats())
  })

  api.openapi(statsRoute, async () => {
    const [queue, numbers, diskFreeBytes] = await Promise.all([
      store.stats(),
      context.system.numbers.now(),
      context.system.diskFreeBytes().catch(() => null),
    ])
    return Response.json({ ...queue, ...numbers, diskFreeBytes, engines: context.system.engines() })
  })

  api.openapi(showLimitsRoute, async () => Response.json((await store.stats()).limits))

  api.openapi(setLimitsRoute, async (c) => {
    const asked = limitsSchema.safeParse(await readJsonBody(c.req.raw))
    if (!asked.success) throw invalidFields(asked.error.issues.flatMap(fieldErrors))
    await store.setLimits(asked.data)
    return Response.json((await store.stats()).limits)
  })
}
