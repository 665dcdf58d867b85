import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { retry } from '../core/submit.ts'
import { outcomes, type Outcome } from '../model/outcome.ts'
import { states, type State, type Task } from '../model/task.ts'
import { readAssets } from './assets.ts'
import { nightHours, overviewPage } from './overview-page.ts'
import { addRunPages } from './run-routes.ts'
import { sendMessage, sendPage, type WebContext } from './send.ts'
import { taskPage } from './task-page.ts'
import { tasksPage, type TaskListQuery } from './tasks-page.ts'

const pageSize = 50
const hourMs = 3_600_000

/** The dashboard's pages and what their forms do. */
export function addPages(app: OpenAPIHono, context: WebContext): void {
  const { system } = context
  const { store, dashboard } = system

  app.get('/', async (c) => {
    const asked = Number(c.req.query('hours'))
    const hours = nightHours.find((each) => each === asked) ?? 24
    const night = await dashboard.night(hours * hourMs)
    return sendPage(c, overviewPage({ viewer: context.viewer(c), night, hours, nowMs: Date.now() }))
  })

  app.get('/tasks', async (c) => {
    const query = listQuery(c)
    const [found, repositories] = await Promise.all([
      dashboard.search(searchOf(query)),
      dashboard.repositories(),
    ])
    return sendPage(
      c,
      tasksPage({ viewer: context.viewer(c), query, found, repositories, nowMs: Date.now() }),
    )
  })

  app.get('/tasks/:id', async (c) => {
    const task = await taskOf(c)
    if (task === null) return missing(c)
    // One address a task, whatever part of its id was asked for.
    if (task.id !== c.req.param('id')) return c.redirect(`/tasks/${task.id}`)
    const [milestones, output, relatives, diff] = await Promise.all([
      dashboard.milestones(task.id),
      dashboard.outputTail(task.id),
      dashboard.relatives(task.id),
      store.diff(task.id),
    ])
    const viewer = context.viewer(c)
    return sendPage(c, taskPage({ viewer, task, milestones, output, relatives, diff, nowMs: Date.now() }))
  })

  // As text, under the page's own login; the API has the same.
  for (const part of ['log', 'diff'] as const) {
    app.get(`/tasks/:id/${part}`, (c) => c.redirect(`/api/v1/tasks/${c.req.param('id')}/${part}`))
  }

  app.post('/tasks/:id/cancel', async (c) => {
    await context.form(c)
    const task = await taskOf(c)
    if (task === null) return missing(c)
    await store.cancel(task.id, 'cancelled on the dashboard')
    return c.redirect(`/tasks/${task.id}`, 303)
  })

  app.post('/tasks/:id/retry', async (c) => {
    const form = await context.form(c)
    const task = await taskOf(c)
    if (task === null) return missing(c)
    // Pressed twice on one page, it is one retry.
    const before = (await dashboard.relatives(task.id)).retries.length
    const idempotencyKey = `dashboard-retry-${task.id}-${String(form['nth'] ?? before)}`
    const submitted = await retry(system.submitContext, task.id, { door: 'rest', pool: null, idempotencyKey })
    if (submitted === null) return message(c, 'It cannot be done again', 'Its request was not kept.', 422)
    switch (submitted.kind) {
      case 'accepted':
        return c.redirect(`/tasks/${submitted.tasks[0]?.id ?? task.id}`, 303)
      case 'faulty': {
        const detail = submitted.faults.map(({ field, message: what }) => `${field}: ${what}`).join('; ')
        return message(c, 'It cannot be done again', detail, 422)
      }
      case 'key_reused':
      case 'already_retried':
        return c.redirect(`/tasks/${task.id}`, 303)
      default:
        return submitted satisfies never
    }
  })

  for (const verb of ['pause', 'resume'] as const) {
    app.post(`/${verb}`, async (c) => {
      await context.form(c)
      await store[verb]()
      return c.redirect('/', 303)
    })
  }

  addRunPages(app, context)

  const assets = readAssets()
  app.get('/assets/:name', async (c) => {
    const asset = (await assets).get(c.req.path)
    if (asset === undefined) return c.body(null, 404)
    const headers = { 'cache-control': 'no-cache', etag: asset.etag }
    if (c.req.header('if-none-match') === asset.etag) return c.body(null, 304, headers)
    return c.body(asset.body, 200, { ...headers, 'content-type': asset.type })
  })

  /** Anything that is not an id must not travel into a query. */
  function taskOf(c: Context): Promise<Task | null> {
    const id = c.req.param('id') ?? ''
    return /^[0-9A-Za-z]{4,26}$/.test(id) ? store.find(id) : Promise.resolve(null)
  }

  function missing(c: Context) {
    return message(c, 'There is no such task', 'Or more than one task ends so.', 404)
  }

  function message(c: Context, title: string, detail: string, status: 404 | 422) {
    return sendMessage(c, context, { title, detail, status })
  }
}

function listQuery(c: Context): TaskListQuery {
  const text = (name: string, max: number) => (c.req.query(name) ?? '').slice(0, max).trim().toWellFormed()
  return {
    state: text('state', 20),
    outcome: text('outcome', 20),
    repo: text('repo', 2000),
    run: text('run', 64),
    text: text('text', 500),
    cursor: text('cursor', 64),
  }
}

// A word that is none of the known ones narrows nothing: an address from elsewhere still shows something.
function searchOf(query: TaskListQuery) {
  const state = states.find((each): each is State => each === query.state)
  const outcome = outcomes.find((each): each is Outcome => each === query.outcome)
  const repo =
    query.repo === ''
      ? {}
      : /[:/]/.test(query.repo) && isWhole(query.repo)
        ? { repo: query.repo }
        : { repoPart: query.repo }
  return {
    limit: pageSize,
    ...(state === undefined ? {} : { state }),
    ...(outcome === undefined ? {} : { outcome }),
    ...repo,
    ...(query.run === '' ? {} : { runId: query.run }),
    ...(query.text === '' ? {} : { text: query.text }),
    ...(query.cursor === '' ? {} : { cursor: query.cursor }),
  }
}

/** An address or a path, as tasks show it, and not a part of one. */
function isWhole(repo: string): boolean {
  return /^(?:\/|[a-z+]+:\/\/|[\w.-]+@[\w.-]+:)/i.test(repo)
}
