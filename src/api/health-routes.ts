import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import type { Access } from './access.ts'
import { jsonOf } from './components.ts'
import type { ApiContext } from './context.ts'
import { Metrics } from './metrics.ts'
import { answers } from './responses.ts'

const tags = ['Health']

const healthRoute = createRoute({
  method: 'get',
  path: '/healthz',
  tags,
  summary: 'Whether the process lives',
  security: [],
  responses: { 200: { description: 'It does', content: { 'text/plain': { schema: z.string() } } } },
})

const readyContent = jsonOf('Readiness')
const readyRoute = createRoute({
  method: 'get',
  path: '/readyz',
  tags,
  summary: 'Whether it should get calls',
  security: [],
  responses: {
    200: { description: 'The database answers, and the scheduler takes tasks', content: readyContent },
    503: { description: 'It should not: the reasons', content: readyContent },
  },
})

const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  tags,
  summary: 'Numbers for Prometheus',
  description: 'Takes the same token as the API, also one that only reads.',
  responses: answers(
    { 200: { description: 'The text format', content: { 'text/plain': { schema: z.string() } } } },
    [],
  ),
})

/** Milliseconds that the database has for its answer. */
const answerMs = 3000

/** `/healthz` and `/readyz`: need no token, and tell nothing that is not public. `/metrics` needs one. */
export function addHealthRoutes(app: OpenAPIHono, context: ApiContext, access: Access): void {
  const metrics = new Metrics(context.system)
  metrics.begin(context.closing).catch(() => {})

  app.openapi(healthRoute, (c) => c.text('ok\n', 200))

  app.openapi(metricsRoute, async (c) => {
    await access.checkToken(c.req.raw)
    const text = await metrics.text(context.closing)
    return new Response(text, { headers: { 'content-type': metrics.contentType } })
  })

  app.openapi(readyRoute, async (c) => {
    const reasons: string[] = []
    const draining = context.draining()
    if (draining !== null) reasons.push(draining)
    if (!(await databaseAnswers(context))) reasons.push('the database does not answer')
    const ready = reasons.length === 0
    return ready ? c.json({ ready, reasons }, 200) : c.json({ ready, reasons }, 503)
  })
}

async function databaseAnswers(context: ApiContext): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), answerMs)
  })
  const answered = context.system.store.stats().then(
    () => true,
    () => false,
  )
  const inTime = await Promise.race([answered, late])
  clearTimeout(timer)
  return inTime
}
