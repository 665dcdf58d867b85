import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import { retry, submit } from '../core/submit.ts'
import { jsonOf } from './components.ts'
import { taskOf, type ApiContext } from './context.ts'
import { readJsonBody, readNoBody } from './json-body.ts'
import { invalidFields, ProblemError } from './problem.ts'
import { answers } from './responses.ts'
import { idempotencyHeaders, taskListQuery, taskParams } from './shapes.ts'
import { createdTask } from './task-creation.ts'

const tags = ['Tasks']
const taskContent = jsonOf('Task')

/** Documents an answer of 202 that created a task. */
export const created = {
  description: 'The new task',
  content: taskContent,
  headers: {
    Location: { description: 'Path of the task', schema: { type: 'string' as const } },
    'Idempotency-Replayed': {
      description: 'true: the key was used before, and this is the task of then',
      schema: { type: 'string' as const },
    },
  },
}

const submitRoute = createRoute({
  method: 'post',
  path: '/tasks',
  tags,
  summary: 'Queue a task',
  description: 'The task is stored and waits for a worker. Unknown fields are refused.',
  request: {
    headers: idempotencyHeaders,
    // Only named here: submit() validates, so that every door words a fault the same way.
    body: {
      required: true,
      content: jsonOf('Submission'),
    },
  },
  responses: answers({ 202: created }, ['idempotency-key-reused'], true),
})

const listRoute = createRoute({
  method: 'get',
  path: '/tasks',
  tags,
  summary: 'List tasks, newest first',
  request: { query: taskListQuery },
  responses: answers(
    {
      200: { description: 'One page', content: jsonOf('TaskPage') },
    },
    ['invalid-fields'],
  ),
})

const showRoute = createRoute({
  method: 'get',
  path: '/tasks/{id}',
  tags,
  summary: 'Show a task with its evidence',
  request: { params: taskParams },
  responses: answers({ 200: { description: 'The task', content: taskContent } }, ['not-found']),
})

const cancelRoute = createRoute({
  method: 'post',
  path: '/tasks/{id}/cancel',
  tags,
  summary: 'Cancel a task',
  description:
    'A waiting task ends at once. A running one is asked to end: `cancelRequestedAt` is set, and it is `done` soon. A task that is done stays as it is.',
  request: { params: taskParams },
  responses: answers(
    {
      200: { description: 'The task', content: taskContent },
    },
    ['not-found'],
    true,
  ),
})

const retryRoute = createRoute({
  method: 'post',
  path: '/tasks/{id}/retry',
  tags,
  summary: 'Do the work of a task again',
  description: 'Queues a new task with the same request; the old one stays as it ended.',
  request: { params: taskParams, headers: idempotencyHeaders },
  responses: answers(
    {
      202: created,
    },
    ['not-found', 'conflict', 'idempotency-key-reused'],
    true,
  ),
})

/** Queueing, listing, showing, cancelling and repeating tasks. */
export function addTaskRoutes(api: OpenAPIHono, context: ApiContext): void {
  const { store, submitContext } = context.system

  api.openapi(submitRoute, async (c) => {
    const key = c.req.valid('header')['idempotency-key']
    const body = await readJsonBody(c.req.raw)
    if (body === undefined) throw invalidFields([{ field: 'body', message: 'is needed: a JSON object' }])
    return createdTask(await submit(submitContext, [body], submitOptions(key)))
  })

  api.openapi(listRoute, async (c) => {
    const { limit = 50, state, outcome, repo, runId, cursor } = c.req.valid('query')
    const page = await store.list({
      limit,
      ...(state === undefined ? {} : { state }),
      ...(outcome === undefined ? {} : { outcome }),
      ...(repo === undefined ? {} : { repo }),
      ...(runId === undefined ? {} : { runId }),
      ...(cursor === undefined ? {} : { cursor }),
    })
    return Response.json(page)
  })

  api.openapi(showRoute, async (c) => Response.json(await taskOf(context, c.req.param('id'))))

  api.openapi(cancelRoute, async (c) => {
    await readNoBody(c.req.raw)
    const task = await taskOf(context, c.req.param('id'))
    return Response.json((await store.cancel(task.id, 'cancelled over the API')) ?? task)
  })

  api.openapi(retryRoute, async (c) => {
    const key = c.req.valid('header')['idempotency-key']
    await readNoBody(c.req.raw)
    const task = await taskOf(context, c.req.param('id'))
    if (task.state !== 'done') {
      throw new ProblemError(
        'conflict',
        `task ${task.id} is ${task.state}; cancel it first, or wait for its end`,
      )
    }
    const submitted = await retry(submitContext, task.id, submitOptions(key))
    if (submitted === null) throw new ProblemError('not-found', `the request of task ${task.id} was not kept`)
    return createdTask(submitted)
  })
}

/** How every request over REST is submitted. */
export function submitOptions(idempotencyKey: string | undefined) {
  return {
    door: 'rest' as const,
    pool: null,
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  }
}
