import { html } from 'hono/html'
import { elapsed } from '../model/elapsed.ts'
import { isGood, type Outcome } from '../model/outcome.ts'
import type { Run, RunBatches } from '../model/run.ts'
import { shortId } from '../model/task-id.ts'
import type { Task } from '../model/task.ts'
import type { Page } from '../ports/task-store.ts'
import { plainText } from './browser/ansi.js'
import { factList } from './evidence-view.ts'
import type { Html } from './html.ts'
import { page, postButton } from './layout.ts'
import { runGrid } from './run-grid.ts'
import { listAddress } from './tasks-page.ts'
import type { Viewer } from './viewer.ts'
import { ago, badge, moment, plural, repoName, type Look } from './words.ts'

/** Runs, newest first. */
export function runsPage(options: { viewer: Viewer; found: Page<Run>; cursor: string; nowMs: number }): Html {
  const { viewer, found, cursor, nowMs } = options
  return page(
    { title: 'Runs', section: '/runs', viewer, follows: 'types=state' },
    html`<h1>Runs</h1>
      <div id="runs" data-live>
        ${
          found.items.length === 0
            ? html`<p class="soft">
                No run yet. <code>nightshift run --plan FILE</code> or <code>POST /api/v1/runs</code> starts
                one.
              </p>`
            : html`<ol class="rows">
                ${found.items.map((run) => runRow(run, nowMs))}
              </ol>`
        }
        <nav class="pages" aria-label="More runs">
          ${cursor === '' ? '' : html`<a href="/runs">← Newest</a>`}
          ${found.nextCursor === null ? '' : html`<a rel="next" href="/runs?cursor=${found.nextCursor}">Older →</a>`}
        </nav>
      </div>`,
  )
}

function runRow(run: Run, nowMs: number): Html {
  return html`<li class="row">
    <span class="state">${badge(runLook(run))}</span>
    <span class="what">
      <a href="/runs/${run.id}">${plainText(run.title) || shortId(run.id)}</a>
      <span class="meta">
        <span class="mono">${shortId(run.id)}</span><span>${repoName(run.repo)}</span>
        ${run.schedule === null ? '' : html`<span>by schedule ${run.schedule}</span>`}
      </span>
      ${progressBar(run)}
    </span>
    <span class="facts"
      ><span>${progressText(run)}</span><span class="soft">${ago(run.createdAt, nowMs)}</span></span
    >
  </li>`
}

/** A run: how far it is, its batches as a grid, and what to do about it. */
export function runPage(options: { viewer: Viewer; run: Run; batches: RunBatches; nowMs: number }): Html {
  const { viewer, run, batches, nowMs } = options
  const tasks = batches.batches.flatMap((batch) => batch.tasks)
  const bad = tasks.filter((task) => task.outcome !== null && !isGood(task.outcome))
  return page(
    {
      title: `Run ${plainText(run.title) || shortId(run.id)}`,
      section: '/runs',
      viewer,
      follows: run.state === 'done' ? 'types=state' : `run=${run.id}&types=state,step.started`,
    },
    html`<div id="run" data-live>
      <div class="title-line">
        <h1>${plainText(run.title) || `Run ${shortId(run.id)}`}</h1>
        <div class="actions">
          ${run.state === 'done' ? '' : postButton(viewer, `/runs/${run.id}/cancel`, 'Cancel', { tone: 'danger' })}
          ${
            bad.length > 0 && run.state === 'done'
              ? postButton(viewer, `/runs/${run.id}/retry`, 'Do what failed again', {
                  fields: {
                    of: bad
                      .map((task) => shortId(task.id))
                      .join(' ')
                      .slice(0, 2000),
                  },
                })
              : ''
          }
        </div>
      </div>
      <p class="lead">${badge(runLook(run))} ${progressText(run)}${timeLeft(run, tasks, nowMs)}</p>
      ${progressBar(run)}
      ${factList([
        ['Run', html`<span class="mono">${run.id}</span>`],
        [
          'Repository',
          html`<a href="${listAddress({ repo: run.repo })}" title="${run.repo}">${repoName(run.repo)}</a>`,
        ],
        ['Base', html`<span class="mono">${run.base ?? 'default branch'}</span>`],
        ['Plan', run.planPath !== null && html`<span class="mono">${plainText(run.planPath)}</span>`],
        ['Schedule', run.schedule !== null && html`<a href="/schedules">${run.schedule}</a>`],
        ['Started', moment(run.startedAt ?? run.createdAt)],
        ['Ended', run.endedAt !== null && moment(run.endedAt)],
        ['Tasks', html`<a href="${listAddress({ run: run.id })}">${plural(run.tasks, 'task')}</a>`],
      ])}
      ${runGrid(batches, nowMs)}
    </div>`,
  )
}

function runLook(run: Run): Look {
  switch (run.state) {
    case 'queued':
      return { tone: 'calm', sign: '○', word: 'queued' }
    case 'held':
      return { tone: 'wait', sign: '◐', word: 'held' }
    case 'running':
      return { tone: 'busy', sign: '●', word: 'running' }
    case 'done':
      return run.ok === true
        ? { tone: 'good', sign: '✓', word: 'all well' }
        : { tone: 'bad', sign: '✕', word: 'not all well' }
    default:
      return run.state satisfies never
  }
}

function countOf(run: Run, wanted: (outcome: Outcome) => boolean): number {
  return Object.entries(run.outcomes).reduce(
    (sum, [outcome, count]) => sum + (wanted(outcome as Outcome) ? count : 0),
    0,
  )
}

function progressText(run: Run): string {
  const done = run.states['done'] ?? 0
  const bad = countOf(run, (outcome) => !isGood(outcome))
  return `${done} of ${run.tasks} done${bad > 0 ? `, ${bad} badly` : ''}`
}

/** Good, bad and running parts, one beside the other; the text beside it says the same. */
function progressBar(run: Run): Html {
  const total = Math.max(1, run.tasks)
  const parts = [
    ['ok', countOf(run, isGood)],
    ['failed', countOf(run, (outcome) => !isGood(outcome))],
    ['open', run.states['running'] ?? 0],
  ] as const
  let at = 0
  return html`<svg class="progress" aria-hidden="true" height="8" preserveAspectRatio="none">
    ${parts.map(([kind, count]) => {
      const x = at
      at += count
      return html`<rect
        class="bar ${kind}"
        x="${(100 * x) / total}%"
        width="${(100 * count) / total}%"
        height="8"
      ></rect>`
    })}
  </svg>`
}

/** From how long the tasks took that are done: a guess, and said to be one. */
function timeLeft(run: Run, tasks: readonly Task[], nowMs: number): string {
  if (run.state === 'done') {
    if (run.startedAt === null || run.endedAt === null) return ''
    return ` in ${elapsed(Date.parse(run.endedAt) - Date.parse(run.startedAt))}`
  }
  const took = tasks.flatMap(({ startedAt, endedAt }) =>
    startedAt === null || endedAt === null ? [] : [Date.parse(endedAt) - Date.parse(startedAt)],
  )
  if (took.length === 0) return ''
  const mean = took.reduce((sum, ms) => sum + ms, 0) / took.length
  const running = tasks.filter((task) => task.state === 'running')
  const begun = running.reduce(
    (sum, { startedAt }) => sum + Math.min(mean, startedAt === null ? 0 : nowMs - Date.parse(startedAt)),
    0,
  )
  const open = tasks.filter((task) => task.state !== 'done').length
  const left = (open * mean - begun) / Math.max(1, running.length)
  return `, about ${elapsed(Math.max(1000, left))} left`
}
