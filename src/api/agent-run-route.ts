import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import { submit } from '../core/submit.ts'
import { jsonOf } from './components.ts'
import type { ApiContext } from './context.ts'
import { readJsonBody } from './json-body.ts'
import { otherNames } from './other-names.ts'
import { answers } from './responses.ts'
import { idempotencyHeaders } from './shapes.ts'
import { createdTask } from './task-creation.ts'
import { created, submitOptions } from './task-routes.ts'

/** What this call names otherwise than POST /tasks. */
const names = otherNames({ task: 'prompt', execution_mode: 'runtime' })

const agentRunRoute = createRoute({
  method: 'post',
  path: '/agents/run',
  tags: ['Tasks'],
  summary: 'Queue a task, by its other names',
  description:
    'The same as `POST /tasks`, with `task` for `prompt` and `execution_mode` for `runtime`. Takes every other field of `POST /tasks` too.',
  request: {
    headers: idempotencyHeaders,
    body: {
      required: true,
      content: jsonOf('AgentRun'),
    },
  },
  responses: answers({ 202: created }, ['idempotency-key-reused'], true),
})

/** `POST /agents/run`: another spelling of `POST /tasks`. */
export function addAgentRunRoute(api: OpenAPIHono, context: ApiContext): void {
  api.openapi(agentRunRoute, async (c) => {
    const key = c.req.valid('header')['idempotency-key']
    const request = names.translate(await readJsonBody(c.req.raw))
    const submitted = await submit(context.system.submitContext, [request], submitOptions(key))
    return createdTask(submitted, names.nameThere)
  })
}
