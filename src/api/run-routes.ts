import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import { cancelRun, retryRun } from '../core/runs.ts'
import { jsonOf } from './components.ts'
import { batchesOfRun, runOf, type ApiContext } from './context.ts'
import { readJsonBody, readNoBody } from './json-body.ts'
import { invalidFields, ProblemError } from './problem.ts'
import { answers } from './responses.ts'
import { createRun, runHeaders } from './run-creation.ts'
import { runRequestOf } from './run-request.ts'
import { idempotencyHeaders, runListQuery, runParams } from './shapes.ts'
import { submitOptions } from './task-routes.ts'

const tags = ['Runs']
const runContent = jsonOf('Run')

const createdRun = {
  description: 'The new run',
  content: runContent,
  headers: { Location: { description: 'Path of the run', schema: { type: 'string' as const } } },
}

const startRoute = createRoute({
  method: 'post',
  path: '/runs',
  tags,
  summary: 'Carry out a plan',
  description:
    'The plan is a file of the repository (`planPath`) or comes with the request (`plan`). It is read and judged as a whole: faults name the line. Its tasks wait for a worker, batch by batch.',
  request: { headers: idempotencyHeaders, body: { required: true, content: jsonOf('RunRequest') } },
  responses: answers({ 202: createdRun }, ['idempotency-key-reused', 'remote-away'], true),
})

const listRoute = createRoute({
  method: 'get',
  path: '/runs',
  tags,
  summary: 'List runs, newest first',
  request: { query: runListQuery },
  responses: answers({ 200: { description: 'One page', content: jsonOf('RunPage') } }, ['invalid-fields']),
})

const showRoute = createRoute({
  method: 'get',
  path: '/runs/{id}',
  tags,
  summary: 'Show how a run stands',
  request: { params: runParams },
  responses: answers({ 200: { description: 'The run', content: runContent } }, ['not-found']),
})

const batchesRoute = createRoute({
  method: 'get',
  path: '/runs/{id}/batches',
  tags,
  summary: 'Show the tasks of a run, batch by batch',
  description: 'In the order of the plan. Of a task that was done again, the last try is shown.',
  request: { params: runParams },
  responses: answers({ 200: { description: 'Its batches', content: jsonOf('RunBatches') } }, ['not-found']),
})

const cancelRoute = createRoute({
  method: 'post',
  path: '/runs/{id}/cancel',
  tags,
  summary: 'Cancel a run',
  description: 'What waits ends at once; what runs is asked to end. What is done stays as it is.',
  request: { params: runParams },
  responses: answers({ 200: { description: 'The run', content: runContent } }, ['not-found'], true),
})

const retryRoute = createRoute({
  method: 'post',
  path: '/runs/{id}/retry',
  tags,
  summary: 'Do what failed of a run again',
  description: 'Each task that ended badly is queued again in the same run; what ended well stays.',
  request: { params: runParams, headers: idempotencyHeaders },
  responses: answers({ 202: createdRun }, ['not-found', 'conflict', 'idempotency-key-reused'], true),
})

/** Starting, listing, showing, cancelling and repeating runs of plans. */
export function addRunRoutes(api: OpenAPIHono, context: ApiContext): void {
  const { runContext } = context.system

  api.openapi(startRoute, async (c) => {
    const key = c.req.valid('header')['idempotency-key']
    const body = await readJsonBody(c.req.raw)
    if (body === undefined) throw invalidFields([{ field: 'body', message: 'is needed: a JSON object' }])
    const created = await createRun(context, runRequestOf(body), key)
    const { warnings } = created
    const run = await runOf(context, created.runId)
    return Response.json({ ...run, warnings }, { status: 202, headers: runHeaders(created) })
  })

  api.openapi(listRoute, async (c) => {
    const { limit = 50, cursor, schedule } = c.req.valid('query')
    const filter = {
      limit,
      ...(cursor === undefined ? {} : { cursor }),
      ...(schedule === undefined ? {} : { schedule }),
    }
    return Response.json(await runContext.runs.list(filter))
  })

  api.openapi(showRoute, async (c) => Response.json(await runOf(context, c.req.param('id'))))

  api.openapi(batchesRoute, async (c) => Response.json(await batchesOfRun(context, c.req.param('id'))))

  api.openapi(cancelRoute, async (c) => {
    await readNoBody(c.req.raw)
    const { id } = await runOf(context, c.req.param('id'))
    return Response.json(await cancelRun(runContext, id, 'its run was cancelled over the API'))
  })

  api.openapi(retryRoute, async (c) => {
    const key = c.req.valid('header')['idempotency-key']
    await readNoBody(c.req.raw)
    const { id } = await runOf(context, c.req.param('id'))
    const again = await retryRun(runContext, id, submitOptions(key))
    if (again === null) throw new ProblemError('conflict', `no task of run ${id} has ended badly`)
    if (again.kind !== 'accepted') {
      if (again.kind === 'key_reused') {
        throw new ProblemError('idempotency-key-reused', `the key ${again.key} was used for another request`)
      }
      throw new ProblemError('conflict', `run ${id} is being done again already`)
    }
    const headers = runHeaders({ runId: id, repeated: again.repeated })
    return Response.json(await runOf(context, id), { status: 202, headers })
  })
}
