import { createRoute, type OpenAPIHono } from '@hono/zod-openapi'
import { submit } from '../core/submit.ts'
import { jsonOf } from './components.ts'
import type { ApiContext } from './context.ts'
import { readJsonBody } from './json-body.ts'
import { invalidFields } from './problem.ts'
import { answers } from './responses.ts'
import { idempotencyHeaders } from './shapes.ts'
import { createdTask } from './task-creation.ts'
import { created, submitOptions } from './task-routes.ts'

/** What this call names otherwise than POST /tasks. */
const otherNames = new Map([
  ['task', 'prompt'],
  ['execution_mode', 'runtime'],
])
const namesHere = new Map([...otherNames].map(([here, there]) => [there, here]))

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
    const request = asSubmission(await readJsonBody(c.req.raw))
    const submitted = await submit(context.system.submitContext, [request], submitOptions(key))
    return createdTask(submitted, nameHere)
  })
}

/** The body in the words of a submission. Throws a problem of status 422. */
function asSubmission(body: unknown): unknown {
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
