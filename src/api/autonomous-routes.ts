import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import { jsonOf } from './components.ts'
import { batchesOfRun, type ApiContext } from './context.ts'
import { readJsonBody } from './json-body.ts'
import { invalidFields } from './problem.ts'
import { answers } from './responses.ts'
import { createRun, runHeaders } from './run-creation.ts'
import { runRequestOf } from './run-request.ts'
import { idempotencyHeaders } from './shapes.ts'

/** What this call names otherwise than POST /runs. */
const otherNames = new Map([
  ['plan_path', 'planPath'],
  ['execution_mode', 'runtime'],
])
const namesHere = new Map([...otherNames].map(([here, there]) => [there, here]))
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
    const request = runRequestOf(inOurWords(await readJsonBody(c.req.raw)), nameHere)
    const created = await createRun(context, request, key, nameHere)
    return Response.json({ exec_id: created.runId }, { status: 202, headers: runHeaders(created) })
  })

  api.openapi(batchesRoute, async (c) => {
    const batches = await batchesOfRun(context, c.req.param('exec_id'))
    return Response.json({ exec_id: batches.id, ...batches })
  })
}

/** The body in the words of `POST /runs`. Throws a problem of status 422. */
function inOurWords(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalidFields([{ field: 'body', message: 'must be a JSON object' }])
  }
  const foreign = Object.keys(body).filter((name) => namesHere.has(name))
  if (foreign.length > 0) {
    throw invalidFields(foreign.map((name) => ({ field: name, message: `is called ${nameHere(name)} here` })))
  }
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [otherNames.get(name) ?? name, value]),
  )
}

function nameHere(field: string): string {
  return namesHere.get(field) ?? field
}
