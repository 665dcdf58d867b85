import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import { eventTypes, type TaskEvent } from '../model/event.ts'
import { taskOf, type ApiContext } from './context.ts'
import { invalidFields } from './problem.ts'
import { answers } from './responses.ts'
import { sentEvents } from './sent-events.ts'
import { eventsQuery } from './shapes.ts'
import { eventId, taskEventStream } from './task-stream-routes.ts'
import { textStream } from './text-stream.ts'

const pageSize = 200

const anId = z.string().min(1).max(64)
const query = z.strictObject({
  task: anId
    .optional()
    .meta({ description: 'Of this task alone, from its beginning; ends when it is done.' }),
  run: anId.optional().meta({ description: 'Of the tasks of this run, from the beginning.' }),
  types: z
    .string()
    .regex(/^[a-z.]+(?:,[a-z.]+)*$/, `must be some of ${eventTypes.join(', ')}, with commas`)
    .optional()
    .meta({ description: `Only these: ${eventTypes.join(', ')}.` }),
  after: eventsQuery.shape.after,
})

const route = createRoute({
  method: 'get',
  path: '/events',
  tags: ['Tasks'],
  summary: 'Follow what happens: to one task, to a run, or to all',
  description:
    'Server-sent events, each with its id and an Event as data, in the order of their ids. They come from the database: `Last-Event-ID` goes on without a gap or a double, on any server. Without `task` and `run`: those of all tasks, from now on, or from `after`.',
  request: {
    query,
    headers: z.object({
      'last-event-id': z.string().optional().meta({ description: 'The last event that the reader has.' }),
    }),
  },
  responses: answers(
    {
      200: { description: 'The events', content: { 'text/event-stream': { schema: z.string() } } },
      204: { description: 'The task is done, and the reader has all its events' },
    },
    ['not-found', 'invalid-fields'],
  ),
})

/** `/events`: one stream for one task, a run, or all. */
export function addEventStreamRoute(app: OpenAPIHono, context: ApiContext): void {
  app.openapi(route, async (c) => {
    const asked = c.req.valid('query')
    const resumeAt = c.req.valid('header')['last-event-id']
    const given = resumeAt === undefined || resumeAt === '' ? asked.after : eventId(resumeAt)
    if (asked.task !== undefined) {
      if (asked.run !== undefined || asked.types !== undefined) {
        throw invalidFields([{ field: 'task', message: 'does not go with run or types' }])
      }
      const task = await taskOf(context, asked.task)
      return taskEventStream(context, task, { after: given ?? 0, resumed: given !== undefined })
    }
    const types = asked.types === undefined ? null : typesOf(asked.types)
    const runId = asked.run ?? null
    const gone = new AbortController()
    const signal = AbortSignal.any([gone.signal, context.closing])
    const after = given ?? (runId === null ? await context.pulse.now() : 0)
    const body = textStream(follow(context, { after, runId, types, signal }), () => gone.abort())
    return new Response(body, {
      headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
    })
  })
}

interface Following {
  readonly after: number
  readonly runId: string | null
  readonly types: readonly TaskEvent['type'][] | null
  readonly signal: AbortSignal
}

async function* follow(
  context: ApiContext,
  { after: start, runId, types, signal }: Following,
): AsyncGenerator<string | Uint8Array, void> {
  let after = start
  // Says where it begins: whoever loses the connection before the first event goes on from here.
  yield position(after)
  while (!signal.aborted) {
    const upTo = await context.pulse.beyond(after, context.keepAliveMs, signal)
    if (signal.aborted) return
    if (upTo <= after) {
      yield position(after)
      continue
    }
    const events = await context.system.eventLog.range({ after, upTo, runId, types, limit: pageSize })
    if (events.length > 0) yield sentEvents(events)
    // Less than a page: there is nothing more up to there.
    after = events.length < pageSize ? upTo : (events.at(-1)?.id ?? upTo)
  }
}

/** A message without data: it is not shown to anyone, but its id counts. */
function position(id: number): string {
  return `: still here\nid: ${id}\n\n`
}

function typesOf(text: string): TaskEvent['type'][] {
  return text.split(',').map((name) => {
    const type = eventTypes.find((each) => each === name)
    if (type !== undefined) return type
    throw invalidFields([
      { field: 'types', message: `must be some of ${eventTypes.join(', ')}, with commas` },
    ])
  })
}
