import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { bouncePage, loginPage, messagePage } from '../web/layout.ts'
import { addPages } from '../web/pages.ts'
import { pagePolicy } from '../web/send.ts'
import type { Viewer } from '../web/viewer.ts'
import type { Access } from './access.ts'
import type { ApiContext } from './context.ts'
import { ProblemError, problemKinds, problemResponse } from './problem.ts'

const maxFormBytes = 64 * 1024
/** Paths that need nobody to be known. */
const publicPaths =
  /^\/(?:assets\/[\w.-]+|login|logout|docs|openapi\.json|schema\.json|healthz|readyz|metrics)$/
const viewers = new WeakMap<Request, Viewer>()

/** The dashboard with its login: lets nobody but known viewers to its pages, and to `/events`. */
export function addDashboard(app: OpenAPIHono, context: ApiContext, access: Access): void {
  app.use('*', async (c, next) => {
    const { path } = c.req
    if (path.startsWith('/api/') || publicPaths.test(path)) return next()
    // A stream lives long after its headers were sent: it changes no cookie.
    const found = await access.viewer(c.req.raw, { rotate: path !== '/events' })
    if (found === null) return askToSignIn(c)
    viewers.set(c.req.raw, found.viewer)
    await next()
    if (found.setCookie !== null) c.res.headers.append('set-cookie', found.setCookie)
  })

  app.get('/login', (c) => sendLogin(c, safePath(c.req.query('next')), null))
  app.post('/login', async (c) => {
    const form = await readForm(c)
    const next = safePath(form['next'])
    const token = typeof form['token'] === 'string' ? form['token'].trim() : ''
    const setCookie = token === '' ? null : await access.signIn(c.req.raw, token)
    if (setCookie === null) return sendLogin(c, next, 'This token is not known here, or was revoked.')
    c.header('set-cookie', setCookie)
    return c.redirect(next, 303)
  })
  app.post('/logout', async (c) => {
    const found = await access.viewer(c.req.raw, { rotate: false })
    const form = await readForm(c)
    // Signing out takes nothing from anybody: a reader may, too.
    if (found !== null) access.checkForm(c.req.raw, { ...found.viewer, role: 'operator' }, form['key'])
    c.header('set-cookie', await access.signOut(c.req.raw))
    return c.redirect('/login', 303)
  })

  addPages(app, {
    system: context.system,
    viewer: viewerOf,
    async form(c) {
      const form = await readForm(c)
      access.checkForm(c.req.raw, viewerOf(c), form['key'])
      return form
    },
  })
}

/** A failed request, as a page for whoever asked with a browser. */
export function problemAnswer(error: ProblemError, c: Context): Response | Promise<Response> {
  const { path } = c.req
  if (path.startsWith('/api/') || !wantsPage(c)) return problemResponse(error, path)
  const { status, title } = problemKinds[error.kind]
  const viewer = viewers.get(c.req.raw) ?? null
  const reference = error.reference === null ? '' : ` (${error.reference})`
  const page = messagePage({ title, viewer }, `${error.message}${reference}`)
  return c.html(page, status, { ...error.headers, 'content-security-policy': pagePolicy })
}

function viewerOf(c: Context): Viewer {
  const viewer = viewers.get(c.req.raw)
  if (viewer === undefined) throw new Error('a page was asked for by nobody')
  return viewer
}

function askToSignIn(c: Context): Response | Promise<Response> {
  if (c.req.method !== 'GET' || !wantsPage(c)) {
    const detail = 'sign in at /login, or send Authorization: Bearer TOKEN'
    throw new ProblemError('unauthorized', detail, {
      headers: { 'www-authenticate': 'Bearer realm="nightshift"' },
    })
  }
  const { pathname, search } = new URL(c.req.url)
  // Whoever follows a link from elsewhere comes without the cookie, and with it on the next step.
  if (c.req.header('sec-fetch-site') === 'cross-site' && c.req.header('sec-fetch-mode') === 'navigate') {
    return c.html(bouncePage(`${pathname}${search}`), 200, { 'content-security-policy': pagePolicy })
  }
  return c.redirect(`/login?${new URLSearchParams({ next: `${pathname}${search}` }).toString()}`)
}

function sendLogin(c: Context, next: string, fault: string | null): Response | Promise<Response> {
  const headers = { 'content-security-policy': pagePolicy }
  return c.html(loginPage(next, fault), fault === null ? 200 : 401, headers)
}

async function readForm(c: Context): Promise<Readonly<Record<string, unknown>>> {
  const length = Number(c.req.header('content-length') ?? 'NaN')
  if (!(length <= maxFormBytes)) throw new ProblemError('body-too-large', 'a form is at most 64 KiB long')
  return c.req.parseBody()
}

/** Where to go after signing in: a path of this server, never an address that begins like one. */
function safePath(asked: unknown): string {
  if (typeof asked !== 'string' || !/^\/(?![/\\])[\x21-\x7e]*$/.test(asked)) return '/'
  return asked
}

function wantsPage(c: Context): boolean {
  return (c.req.header('accept') ?? '').includes('text/html')
}
