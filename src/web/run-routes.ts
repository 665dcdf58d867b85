import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { cancelRun, retryRun } from '../core/runs.ts'
import { toSchedule } from '../core/schedules/define.ts'
import { fire } from '../core/schedules/fire.ts'
import { runPage, runsPage } from './run-pages.ts'
import { schedulesPage } from './schedules-page.ts'
import { sendMessage, sendPage, type WebContext } from './send.ts'

const pageSize = 50

/** Pages of runs and schedules, and what their forms do. */
export function addRunPages(app: OpenAPIHono, context: WebContext): void {
  const { runContext, schedules } = context.system
  const { runs } = runContext

  app.get('/runs', async (c) => {
    const cursor = (c.req.query('cursor') ?? '').slice(0, 64).toWellFormed()
    const found = await runs.list({ limit: pageSize, ...(cursor === '' ? {} : { cursor }) })
    return sendPage(c, runsPage({ viewer: context.viewer(c), found, cursor, nowMs: Date.now() }))
  })

  app.get('/runs/:id', async (c) => {
    const run = await runOf(c)
    const batches = run === null ? null : await runs.batches(run.id)
    if (run === null || batches === null) return missing(c, 'run')
    if (run.id !== c.req.param('id')) return c.redirect(`/runs/${run.id}`)
    return sendPage(c, runPage({ viewer: context.viewer(c), run, batches, nowMs: Date.now() }))
  })

  app.post('/runs/:id/cancel', async (c) => {
    await context.form(c)
    const run = await runOf(c)
    if (run === null) return missing(c, 'run')
    await cancelRun(runContext, run.id, 'its run was cancelled on the dashboard')
    return c.redirect(`/runs/${run.id}`, 303)
  })

  app.post('/runs/:id/retry', async (c) => {
    const form = await context.form(c)
    const run = await runOf(c)
    if (run === null) return missing(c, 'run')
    // What is to be done again stands in the key: pressed twice on one page, it is one retry.
    const idempotencyKey = `dashboard-retry-run-${run.id}-${String(form['of'] ?? '')}`.slice(0, 250)
    const answer = await retryRun(runContext, run.id, { door: 'rest', pool: null, idempotencyKey })
    if (answer?.kind === 'faulty') {
      const detail = answer.faults.map(({ field, message }) => `${field}: ${message}`).join('; ')
      return sendMessage(c, context, { title: 'It cannot be done again', detail, status: 422 })
    }
    return c.redirect(`/runs/${run.id}`, 303)
  })

  app.get('/schedules', async (c) => {
    const stored = await schedules.list()
    const shown = stored.map((schedule) => toSchedule(schedule, new Date()))
    return sendPage(c, schedulesPage(context.viewer(c), shown))
  })

  app.post('/schedules/:name/run', async (c) => {
    const form = await context.form(c)
    const schedule = await schedules.get(c.req.param('name').slice(0, 64))
    if (schedule === null) return missing(c, 'schedule')
    const minute = Math.floor(Date.now() / 60_000)
    const key = `dashboard-run-${schedule.name}-${String(form['last'] ?? '')}-${minute}`.slice(0, 250)
    const answer = await fire(runContext, schedule, new Date(), key)
    if (answer.kind === 'accepted') return c.redirect(`/runs/${answer.runId}`, 303)
    const detail = 'faults' in answer ? answer.faults.map(({ message }) => message).join('; ') : answer.kind
    return sendMessage(c, context, { title: 'It could not be started', detail, status: 422 })
  })

  for (const verb of ['pause', 'resume'] as const) {
    app.post(`/schedules/:name/${verb}`, async (c) => {
      await context.form(c)
      await schedules.setPaused(c.req.param('name').slice(0, 64), verb === 'pause')
      return c.redirect('/schedules', 303)
    })
  }

  /** Anything that is not an id must not travel into a query. */
  function runOf(c: Context) {
    const id = c.req.param('id') ?? ''
    return /^[0-9A-Za-z]{4,26}$/.test(id) ? runs.find(id) : Promise.resolve(null)
  }

  function missing(c: Context, what: string) {
    return sendMessage(c, context, {
      title: `There is no such ${what}`,
      detail: 'Perhaps it was removed.',
      status: 404,
    })
  }
}
