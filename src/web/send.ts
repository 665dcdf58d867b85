import type { Context } from 'hono'
import type { System } from '../core/system.ts'
import type { Html } from './html.ts'
import { messagePage } from './layout.ts'
import type { Viewer } from './viewer.ts'

/** What pages need of the server around them. */
export interface WebContext {
  readonly system: System
  /** Who looks; the server lets nobody else in. */
  viewer(c: Context): Viewer
  /** The form that was posted. Throws where it does not come from a page that this viewer got, or may not change anything. */
  form(c: Context): Promise<Readonly<Record<string, unknown>>>
}

/** Only files and calls of this server; no script and no style within a page. */
export const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

export function sendPage(c: Context, body: Html) {
  return c.html(body, 200, { 'content-security-policy': pagePolicy })
}

/** Answers with a page that says one thing. */
export function sendMessage(
  c: Context,
  context: WebContext,
  message: { readonly title: string; readonly detail: string; readonly status: 404 | 422 },
) {
  const { title, detail, status } = message
  return c.html(messagePage({ title, viewer: context.viewer(c) }, detail), status, {
    'content-security-policy': pagePolicy,
  })
}
