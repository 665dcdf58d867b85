import { html } from 'hono/html'
import type { Html } from './html.ts'
import type { Viewer } from './viewer.ts'

export interface PageOptions {
  readonly title: string
  /** Which part of the navigation it belongs to; `null`: none. */
  readonly section: '/' | '/tasks' | '/runs' | '/schedules' | null
  /** `null`: nobody is signed in. */
  readonly viewer: Viewer | null
  /** What the page follows: query of `/events`; `null`: it does not change by itself. */
  readonly follows?: string | null
}

const sections = [
  ['/', 'Overview'],
  ['/tasks', 'Tasks'],
  ['/runs', 'Runs'],
  ['/schedules', 'Schedules'],
] as const

/**
 * The frame of every page. Its parts marked `data-live` (each with an id) are fetched again when something that the page
 * follows has changed.
 */
export function page(options: PageOptions, body: Html): Html {
  const { viewer, section, follows = null } = options
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${options.title} · Nightshift</title>
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="/assets/style.css" />
        <script type="module" src="/assets/client.js"></script>
      </head>
      <body ${follows === null ? '' : html`data-follows="${follows}"`}>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <a class="brand" href="/"><span aria-hidden="true">☾</span> Nightshift</a>
          ${
            viewer === null
              ? ''
              : html`<nav aria-label="Pages">
                    ${sections.map(
                      ([path, name]) =>
                        html`<a href="${path}" ${path === section ? html`aria-current="page"` : ''}
                          >${name}</a
                        >`,
                    )}
                    <a href="/docs">API</a>
                  </nav>
                  <span class="who">
                    ${viewer.role === 'reader' ? html`<span class="soft">read only</span>` : ''}
                    ${viewer.signedIn ? postButton(viewer, '/logout', 'Sign out') : ''}
                  </span>`
          }
        </header>
        <main id="main" tabindex="-1">${body}</main>
        <p id="link-state" class="link-state" role="status"></p>
      </body>
    </html>`
}

/** A button that posts; `''` for whoever may only read, but for signing out. */
export function postButton(
  viewer: Viewer,
  path: string,
  label: string,
  more: { readonly tone?: string; readonly fields?: Readonly<Record<string, string>> } = {},
): Html {
  if (viewer.role === 'reader' && path !== '/logout') return ''
  return html`<form method="post" action="${path}" class="inline">
    <input type="hidden" name="key" value="${viewer.formKey}" />
    ${Object.entries(more.fields ?? {}).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
    <button type="submit" class="${more.tone ?? ''}">${label}</button>
  </form>`
}

/** A page that says one thing. */
export function messagePage(options: Omit<PageOptions, 'section'>, detail: string): Html {
  return page(
    { ...options, section: null },
    html`<h1>${options.title}</h1>
      <p>${detail}</p>
      <p><a href="/">Overview</a></p>`,
  )
}

/** Asks for a token. */
export function loginPage(next: string, fault: string | null): Html {
  return page(
    { title: 'Sign in', section: null, viewer: null },
    html`<div class="narrow">
      <h1>Sign in</h1>
      <p>
        Paste a token. <code>nightshift token create NAME</code> makes one on the server’s machine;
        <code>--read-only</code> makes one that may only look.
      </p>
      ${fault === null ? '' : html`<p class="fault" role="alert" id="fault">${fault}</p>`}
      <form method="post" action="/login" class="stacked">
        <input type="hidden" name="next" value="${next}" />
        <label for="token">Token</label>
        <input
          id="token"
          name="token"
          type="password"
          autocomplete="current-password"
          required
          autofocus
          ${fault === null ? '' : html`aria-invalid="true" aria-describedby="fault"`}
        />
        <button type="submit" class="primary">Sign in</button>
      </form>
    </div>`,
  )
}

/**
 * Comes to whoever followed a link from another site: that the cookie is not sent then, but with the next step, which
 * this page takes at once.
 */
export function bouncePage(path: string): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>Nightshift</title>
        <meta http-equiv="refresh" content="0;url=${path}" />
      </head>
      <body>
        <a href="${path}">Go on</a>
      </body>
    </html>`
}
