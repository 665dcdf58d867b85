import { html, raw } from 'hono/html'
import type { TaskEvent } from '../model/event.ts'
import type { Task } from '../model/task.ts'
import { createAnsiReader } from './browser/ansi.js'
import { escapeText, type Html } from './html.ts'

/**
 * What the task's processes printed last. The browser goes on from there by itself: `data-after` is the last event that
 * is shown here, and nothing before it comes again.
 */
export function outputView(
  task: Task,
  tail: { events: readonly TaskEvent[]; more: boolean },
  after: number,
): Html {
  const { events, more } = tail
  return html`<div class="output-bar">
      <a href="/tasks/${task.id}/log">All of it as text</a>
      <span id="output-state" class="soft" role="status"></span>
      <button type="button" id="output-follow" hidden>Pause</button>
    </div>
    ${more ? html`<p class="soft notes">The end of it; there is more before.</p>` : ''}
    ${raw(
      `<pre id="output" class="output" tabindex="0" role="region" aria-label="Output" data-after="${after}">${outputLines(events)}</pre>`,
    )}
    ${
      events.length === 0
        ? html`<p class="soft" id="output-none">
            ${task.state === 'done' ? 'None is kept.' : 'Nothing yet.'}
          </p>`
        : ''
    }`
}

/** Lines as the browser's script makes them, too: one element each, a heading where the step changes. */
export function outputLines(events: readonly TaskEvent[]): string {
  const parts: string[] = []
  let heading = ''
  let reader = createAnsiReader()
  for (const event of events) {
    const here = headingOf(event)
    if (here !== heading) {
      heading = here
      reader = createAnsiReader()
      parts.push(`<span class="line step">${escapeText(here)}</span>`)
    }
    for (const line of reader.read(event.text.replace(/\n$/, ''))) {
      const pieces = line.map(({ text, style }) =>
        style === '' ? escapeText(text) : `<span class="${style}">${escapeText(text)}</span>`,
      )
      parts.push(`<span class="line">${pieces.join('')}</span>`)
    }
  }
  return parts.join('')
}

function headingOf(event: TaskEvent): string {
  const step = event.step ?? 'output'
  return event.attempt > 1 ? `${step} · attempt ${event.attempt}` : step
}
