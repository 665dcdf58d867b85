import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi'
import { shortId } from '../model/task-id.ts'
import { jsonOf } from './components.ts'
import type { Task } from '../model/task.ts'
import { taskOf, type ApiContext } from './context.ts'
import { invalidFields, ProblemError } from './problem.ts'
import { answers } from './responses.ts'
import { eventsQuery, logQuery, taskParams } from './shapes.ts'
import { sentEvents } from './sent-events.ts'
import { followTask, type Followed } from './task-following.ts'
import { textStream } from './text-stream.ts'

const tags = ['Tasks']
const text = (mediaType: string) => ({ [mediaType]: { schema: z.string() } })

const eventsRoute = createRoute({
  method: 'get',
  path: '/tasks/{id}/events',
  tags,
  summary: 'What happened to a task',
  description:
    'With `Accept: text/event-stream`: server-sent events, each with its id and an Event as data, until the task is done; then one named `end`, whose data is the outcome. After a lost connection, `Last-Event-ID` goes on without a gap; once there is nothing more to come, the answer is 204.',
  request: {
    params: taskParams,
    query: eventsQuery,
    headers: z.object({
      'last-event-id': z.string().optional().meta({ description: 'The last event that the reader has.' }),
    }),
  },
  responses: answers(
    {
      200: {
        description: 'The events, in order',
        content: { ...jsonOf('EventList'), ...text('text/event-stream') },
      },
      204: { description: 'The task is done, and the reader has all its events' },
    },
    ['not-found', 'invalid-fields'],
  ),
})

const logRoute = createRoute({
  method: 'get',
  path: '/tasks/{id}/log',
  tags,
  summary: 'What the processes of a task printed',
  request: { params: taskParams, query: logQuery },
  responses: answers(
    {
      200: { description: 'The output, line by line', content: text('text/plain') },
    },
    ['not-found', 'invalid-fields'],
  ),
})

const diffRoute = createRoute({
  method: 'get',
  path: '/tasks/{id}/diff',
  tags,
  summary: 'The work of a task as a unified diff',
  request: { params: taskParams },
  responses: answers(
    {
      200: { description: 'The diff', content: text('text/x-diff') },
    },
    ['not-found'],
  ),
})

const bundleRoute = createRoute({
  method: 'get',
  path: '/tasks/{id}/bundle',
  tags,
  summary: 'The work of a task as a git bundle',
  description:
    'What the task handed over last, kept for a while where it ended without being pushed. `git fetch FILE HEAD` takes it into a clone that has the base; nobody has judged it well.',
  request: { params: taskParams },
  responses: answers(
    {
      200: {
        description: 'The bundle, with HEAD as its one ref',
        content: { 'application/x-git-bundle': { schema: { type: 'string', format: 'binary' } } },
      },
    },
    ['not-found'],
  ),
})

/** Events, log, diff and bundle of a task. */
export function addTaskStreamRoutes(api: OpenAPIHono, context: ApiContext): void {
  const { store } = context.system

  api.openapi(eventsRoute, async (c) => {
    const { after = 0, limit = 200 } = c.req.valid('query')
    const resumeAt = c.req.valid('header')['last-event-id']
    const task = await taskOf(context, c.req.param('id'))
    if (!wantsEventStream(c.req.header('accept'))) {
      return Response.json({ items: await store.events(task.id, { after, limit }) })
    }
    const last = resumeAt === undefined || resumeAt === '' ? after : eventId(resumeAt)
    return taskEventStream(context, task, { after: last, resumed: resumeAt !== undefined })
  })

  api.openapi(logRoute, async (c) => {
    const wait = c.req.valid('query').follow === '1'
    const task = await taskOf(context, c.req.param('id'))
    return streamed(context, task.id, { after: 0, wait, write: logLines }, 'text/plain; charset=utf-8')
  })

  api.openapi(diffRoute, async (c) => {
    const task = await taskOf(context, c.req.param('id'))
    const diff = await store.diff(task.id)
    if (diff === null)
      throw new ProblemError('not-found', `task ${task.id} has no diff${whyNoDiff(task.state)}`)
    return new Response(new Uint8Array(diff), { headers: { 'content-type': 'text/x-diff' } })
  })

  api.openapi(bundleRoute, async (c) => {
    const task = await taskOf(context, c.req.param('id'))
    const kept = await store.bundle(task.id)
    if (kept === null)
      throw new ProblemError('not-found', `task ${task.id} has no work to fetch${whyNoBundle(task)}`)
    return new Response(new Uint8Array(kept.bundle), {
      headers: {
        'content-type': 'application/x-git-bundle',
        'content-disposition': `attachment; filename="${shortId(task.id)}.bundle"`,
      },
    })
  })
}

/** The events of a task as server-sent events until it is done; 204 where one who comes back has them all. */
export async function taskEventStream(
  context: ApiContext,
  task: Task,
  from: { after: number; resumed: boolean },
): Promise<Response> {
  if (from.resumed && task.state === 'done') {
    // Browsers reconnect after every end of a stream, unless they are told that this was the last.
    const rest = await context.system.store.events(task.id, { after: from.after, limit: 1 })
    if (rest.length === 0) return new Response(null, { status: 204 })
  }
  const how = { after: from.after, wait: true, write: serverSentEvent }
  return streamed(context, task.id, how, 'text/event-stream')
}

interface Streaming {
  readonly after: number
  readonly wait: boolean
  /** The text of what was followed; `''`: nothing. */
  readonly write: (followed: Followed) => string | Uint8Array
}

function streamed(context: ApiContext, taskId: string, how: Streaming, contentType: string): Response {
  const gone = new AbortController()
  const followed = followTask({
    pages: context.pages,
    hints: context.hints,
    taskId,
    after: how.after,
    wait: how.wait,
    signal: AbortSignal.any([gone.signal, context.closing]),
    quietMs: context.keepAliveMs,
  })
  const body = textStream(written(followed, how.write), () => gone.abort())
  // Proxies that collect an answer before they pass it on are asked not to.
  return new Response(body, { headers: { 'content-type': contentType, 'x-accel-buffering': 'no' } })
}

async function* written(
  followed: AsyncGenerator<Followed, void>,
  write: Streaming['write'],
): AsyncGenerator<string | Uint8Array, void> {
  for await (const part of followed) {
    const piece = write(part)
    if (piece.length > 0) yield piece
  }
}

function serverSentEvent(followed: Followed): string | Uint8Array {
  switch (followed.kind) {
    case 'events':
      return sentEvents(followed.events)
    case 'quiet':
      return ': still here\n\n'
    case 'end':
      return `event: end\ndata: ${JSON.stringify({ outcome: followed.task.outcome })}\n\n`
    default:
      return followed satisfies never
  }
}

function logLines(followed: Followed): string {
  if (followed.kind !== 'events') return ''
  return followed.events
    .filter((event) => event.type === 'output')
    .map((event) => (event.text.endsWith('\n') ? event.text : `${event.text}\n`))
    .join('')
}

/** The id in a header `Last-Event-ID`; throws {@link ProblemError} 422. */
export function eventId(header: string): number {
  if (/^\d{1,15}$/.test(header)) return Number(header)
  throw invalidFields([{ field: 'Last-Event-ID', message: 'must be the id of an event: a whole number' }])
}

function wantsEventStream(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((type) => /^\s*text\/event-stream\s*(?:;|$)/i.test(type))
}

function whyNoBundle({ state, branch, evidence }: Task): string {
  if (state !== 'done') return ` yet: it is ${state}`
  if (evidence?.confirmedAt != null) return `: it is on the branch ${branch}`
  return evidence?.headSha == null ? '' : ' any more, or it was too large to be kept'
}

function whyNoDiff(state: string): string {
  return state === 'done' ? '' : ` yet: it is ${state}`
}
