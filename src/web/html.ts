import type { html } from 'hono/html'

/** A piece of a page; whatever was put into it is escaped. */
export type Html = ReturnType<typeof html> | ''

/**
 * A text as HTML shows it, for the places where a template's own line breaks would be seen: `<pre>`. Everywhere else
 * templates escape by themselves.
 */
export function escapeText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** A link's address where it is an address of the web; `null`: something else, which must not be followed. */
export function webAddress(text: string): string | null {
  return /^https?:\/\/[^\s"'<>\\]+$/i.test(text) ? text : null
}
