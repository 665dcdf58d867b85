import { randomUUID } from 'node:crypto'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { System } from '../core/system.ts'
import type { Access } from './access.ts'
import { addAgentRunRoute } from './agent-run-route.ts'
import { registerComponents } from './components.ts'
import { addAutonomousRoutes } from './autonomous-routes.ts'
import type { ApiContext } from './context.ts'
import { addDashboard, problemAnswer } from './dashboard-routes.ts'
import { isDatabaseAway } from './database-away.ts'
import { docsPage } from './docs-page.ts'
import { docsPolicy } from './docs-style.ts'
import { fieldErrors, refuseDoubled } from './field-errors.ts'
import { addHealthRoutes } from './health-routes.ts'
import { allowedMethods, openApiDocument } from './openapi.ts'
import { addOperationRoutes } from './operation-routes.ts'
import { EventPulse } from './event-pulse.ts'
import { addEventStreamRoute } from './event-stream-route.ts'
import { invalidFields, ProblemError } from './problem.ts'
import { SharedPages } from './shared-pages.ts'
import { addRunRoutes } from './run-routes.ts'
import { addSchemaRoute } from './schema-route.ts'
import { addScheduleRoutes } from './schedule-routes.ts'
import { TaskHints } from './task-hints.ts'
import { addTaskRoutes } from './task-routes.ts'
import { addTaskStreamRoutes } from './task-stream-routes.ts'
import { addWebhookRoutes, webhookPath } from './webhook-routes.ts'

export interface ApiOptions {
  readonly system: System
  readonly access: Access
  /** Why this process should get no more calls, as a sentence; `null` (the default): it is well. */
  readonly draining?: () => string | null
  /** Milliseconds between the comments that keep silent streams open; default 15 s. */
  readonly keepAliveMs?: number
}

export interface Api {
  /** Answers every request; never rejects. */
  readonly app: OpenAPIHono
  /** Ends the open streams, and the listening behind them. */
  close(): Promise<void>
}

/** The whole API, without a port: listen.ts binds it. */
export function createApi(options: ApiOptions): Api {
  const { system, access } = options
  const closing = new AbortController()
  const hints = new TaskHints(system.store, system.log)
  const context: ApiContext = {
    system,
    hints,
    pages: new SharedPages(system.store),
    pulse: new EventPulse({
      eventLog: system.eventLog,
      hints,
      log: system.log,
      closing: closing.signal,
    }),
    draining: options.draining ?? (() => null),
    closing: closing.signal,
    keepAliveMs: options.keepAliveMs ?? 15_000,
  }

  const app = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw invalidFields(result.error.issues.flatMap(fieldErrors))
    },
  })
  app.use('*', async (c, next) => {
    await next()
    setSecurityHeaders(c)
  })
  app.use('*', async (c, next) => {
    // What a forge sends comes by whatever name leads here, and is signed.
    if (c.req.path !== webhookPath) access.checkOrigin(c.req.raw)
    await next()
  })
  app.use('/api/*', async (c, next) => {
    await access.checkToken(c.req.raw)
    refuseDoubled(c.req.queries())
    await next()
  })

  const api = new OpenAPIHono({
    defaultHook: (result) => {
      if (!result.success) throw invalidFields(result.error.issues.flatMap(fieldErrors))
    },
  })
  registerComponents(api)
  addTaskRoutes(api, context)
  addAgentRunRoute(api, context)
  addTaskStreamRoutes(api, context)
  addRunRoutes(api, context)
  addAutonomousRoutes(api, context)
  addScheduleRoutes(api, context)
  addOperationRoutes(api, context)
  app.route('/api/v1', api)
  addSchemaRoute(app)
  addWebhookRoutes(app, context)
  addHealthRoutes(app, context, access)
  addDashboard(app, context, access)
  addEventStreamRoute(app, context)

  const document = openApiDocument(app, system.version)
  const page = docsPage(document)
  app.get('/openapi.json', (c) => c.json(document))
  app.get('/docs', (c) => c.html(page, 200, { 'content-security-policy': docsPolicy }))

  app.notFound((c) => {
    const { path } = c.req
    const methods = allowedMethods(app, path)
    const error =
      methods.length === 0
        ? new ProblemError('not-found', 'there is nothing at this path; /docs lists what there is')
        : new ProblemError('method-not-allowed', `this path takes ${methods.join(', ')}`, {
            headers: { allow: methods.join(', ') },
          })
    return problemAnswer(error, c)
  })
  app.onError((error, c) => problemAnswer(asProblem(error, system), c))

  return {
    app,
    async close() {
      closing.abort()
      await hints.close()
    },
  }
}

function asProblem(error: Error, system: System): ProblemError {
  if (error instanceof ProblemError) return error
  if (error instanceof HTTPException && error.status < 500) {
    return new ProblemError('malformed-body', error.message)
  }
  const reference = randomUUID()
  if (isDatabaseAway(error)) {
    system.log.error('the database does not answer a request', { reference, error: String(error) })
    const detail = 'the database cannot be reached now; try again in a few seconds'
    return new ProblemError('database-away', detail, { reference, headers: { 'retry-after': '5' } })
  }
  system.log.error('a request failed', { reference, error: error.stack ?? String(error) })
  const detail = `nothing is wrong with the request; the server’s log has the cause under ${reference}`
  return new ProblemError('internal', detail, { reference })
}

function setSecurityHeaders(c: Context): void {
  const { headers } = c.res
  headers.set('x-content-type-options', 'nosniff')
  headers.set('x-frame-options', 'DENY')
  // With no-referrer at all, browsers would hide from us where a form of our own pages comes from.
  const isPage = headers.get('content-type')?.startsWith('text/html') === true
  headers.set('referrer-policy', isPage ? 'same-origin' : 'no-referrer')
  headers.set('cross-origin-resource-policy', 'same-origin')
  headers.set('cross-origin-opener-policy', 'same-origin')
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store')
  if (!headers.has('content-security-policy')) {
    headers.set('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
  }
}
