import { html } from 'hono/html'
import type { RunBatches } from '../model/run.ts'
import { shortId } from '../model/task-id.ts'
import { plainText } from './browser/ansi.js'
import type { Html } from './html.ts'
import { badge, lookOf, titleOf, workTime } from './words.ts'

/*
 * The style gives cells these sizes in rem, too: so that arrows, which are drawn behind them, meet their edges whatever
 * the size of the reader's letters.
 */
const cell = { width: 15, height: 4.5, gapX: 3, gapY: 0.75, top: 3.25 }

interface Place {
  readonly column: number
  readonly row: number
}

/** The batches of a run side by side, their tasks below each other, arrows from what is needed to who needs it. */
export function runGrid(batches: RunBatches, nowMs: number): Html {
  const places = new Map<string, Place>()
  for (const [column, batch] of batches.batches.entries()) {
    for (const [row, task] of batch.tasks.entries()) places.set(task.id, { column, row })
  }
  const columns = batches.batches.length
  const rows = Math.max(1, ...batches.batches.map((batch) => batch.tasks.length))
  const width = columns * cell.width + (columns - 1) * cell.gapX
  const height = cell.top + rows * (cell.height + cell.gapY)
  const arrows = batches.batches
    .flatMap((batch) => batch.tasks)
    .flatMap((task) => {
      const to = places.get(task.id)
      return task.needs.flatMap((need) => {
        const from = places.get(need)
        return from === undefined || to === undefined ? [] : [arrow(from, to)]
      })
    })
  return html`<div class="grid-scroll" tabindex="0" role="region" aria-label="Batches">
    <div class="grid">
      <svg
        class="arrows"
        aria-hidden="true"
        width="${width}rem"
        height="${height}rem"
        viewBox="0 0 ${width} ${height}"
      >
        ${arrows.map((path) => html`<path d="${path}"></path>`)}
      </svg>
      ${batches.batches.map(
        (batch) =>
          html`<section class="batch" aria-label="Batch ${batch.number}">
            <h2>${batch.number}. ${plainText(batch.title) || 'Batch'}</h2>
            <ol>
              ${batch.tasks.map(
                (task) =>
                  html`<li class="cell ${lookOf(task).tone}">
                    <a href="/tasks/${task.id}">${titleOf(task.prompt, 44)}</a>
                    <span class="meta">
                      ${badge(lookOf(task))} <span class="mono">${workTime(task, nowMs)}</span>
                      ${
                        task.needs.length === 0
                          ? ''
                          : html`<span class="unseen">needs ${task.needs.map(shortId).join(', ')}</span>`
                      }
                    </span>
                  </li>`,
              )}
            </ol>
          </section>`,
      )}
    </div>
  </div>`
}

/** A curve with a head: from the right edge to the left one, or down where both stand in one column. */
function arrow(from: Place, to: Place): string {
  const left = ({ column }: Place) => column * (cell.width + cell.gapX)
  const middle = ({ row }: Place) => cell.top + row * (cell.height + cell.gapY) + cell.height / 2
  if (from.column === to.column) {
    const x = left(from) + 1.25
    const below = from.row < to.row
    const y1 = middle(from) + (below ? cell.height / 2 : -cell.height / 2)
    const y2 = middle(to) - (below ? cell.height / 2 : -cell.height / 2)
    const head = below ? -0.35 : 0.35
    return `M${x} ${y1} L${x} ${y2} m-0.25 ${head} l0.25 ${-head} l0.25 ${head}`
  }
  const x1 = left(from) + cell.width
  const x2 = left(to)
  const y1 = middle(from)
  const y2 = middle(to)
  const bend = cell.gapX / 2
  return `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2} m-0.4 -0.25 l0.4 0.25 l-0.4 0.25`
}
