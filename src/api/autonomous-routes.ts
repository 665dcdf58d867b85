import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import { jsonOf } from './components.ts'
import { batchesOfRun, type ApiContext } from './context.ts'
import { readJsonBody } from './json-body.ts'
import { otherNames } from './other-names.ts'
import { answers } from './responses.ts'
import { createRun, runHeaders } from './run-creation.ts'
import { runRequestOf } from './run-request.ts'
import { idempotencyHeaders } from './shapes.ts'

/** What this call names otherwise than POST /runs. */
const names = otherNames({ plan_path: 'planPath', execution_mode: 'runtime' })
const tags = ['Runs']

const startRoute = createRoute({
  method: 'post',
  path: '/autonomous/start',
  tags,
  summary: 'Carry out a plan, by its other names',
  description:
    'The same as `POST /runs`, with `plan_path` for `planPath` and `execution_mode` for `runtime`.',
  request: { headers: idempotencyHeaders, body: { required: true, content: jsonOf('AutonomousStart') } },
  responses: answers(
    {
      202: {
        description: 'The id of the new run',
        content: { 'application/json': { schema: z.object({ exec_id: z.string() }) } },
      },
    },
    ['idempotency-key-reused', 'remote-away'],
    true,
  ),
})

const batchesRoute = createRoute({
  method: 'get',
  path: '/autonomous/{exec_id}/batches',
  tags,
  summary: 'Show the tasks of a run, batch by batch',
  description: 'The same as `GET /runs/{id}/batches`, with `exec_id` beside `id`.',
  request: { params: z.object({ exec_id: z.string().meta({ description: 'The id of a run.' }) }) },
  responses: answers({ 200: { description: 'Its batches', content: jsonOf('RunBatches') } }, ['not-found']),
})

/** `POST /autonomous/start` and its batches: another spelling of runs. */
export function addAutonomousRoutes(api: OpenAPIHono, context: ApiContext): void {
  api.openapi(startRoute, async (c) => {
    const key = c.req.valid('header')['idempotency-key']
    const request = runRequestOf(names.translate(await readJsonBody(c.req.raw)), names.nameThere)
    const created = await createRun(context, request, key, names.nameThere)
    return Response.json({ exec_id: created.runId }, { status: 202, headers: runHeaders(created) })
  })

  api.openapi(batchesRoute, async (c) => {
    const batches = await batchesOfRun(context, c.req.param('exec_id'))
    return Response.json({ exec_id: batches.id, ...batches })
  })
}
