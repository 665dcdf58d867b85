import { html } from 'hono/html'
import { meaningOf } from '../core/outcome-meanings.ts'
import { nextStep } from '../core/next-step.ts'
import type { TaskEvent } from '../model/event.ts'
import { shortId } from '../model/task-id.ts'
import type { Task } from '../model/task.ts'
import type { Dashboard } from '../ports/dashboard.ts'
import { plainText } from './browser/ansi.js'
import { diffView } from './diff-view.ts'
import { evidenceView, factList } from './evidence-view.ts'
import { webAddress, type Html } from './html.ts'
import { page, postButton } from './layout.ts'
import { outputView } from './output-view.ts'
import { listAddress } from './tasks-page.ts'
import { timeline } from './timeline.ts'
import type { Viewer } from './viewer.ts'
import { badge, lookOf, moment, repoName, titleOf, workTime } from './words.ts'

export interface TaskPageOptions {
  readonly viewer: Viewer
  readonly task: Task
  readonly milestones: readonly TaskEvent[]
  readonly output: Awaited<ReturnType<Dashboard['outputTail']>>
  readonly relatives: Awaited<ReturnType<Dashboard['relatives']>>
  readonly diff: Buffer | null
  readonly nowMs: number
}

export function taskPage(options: TaskPageOptions): Html {
  const { viewer, task, milestones, output, nowMs } = options
  const look = lookOf(task)
  const title = titleOf(task.prompt)
  // Whatever came after the last line that is shown comes over the stream.
  const after = output.events.at(-1)?.id ?? 0
  return page(
    {
      title: `${look.sign} ${look.word}: ${titleOf(task.prompt, 60)}`,
      section: '/tasks',
      viewer,
      follows: task.state === 'done' ? null : `task=${task.id}`,
    },
    html`<article class="task">
      <div id="head" data-live>
        <div class="title-line">
          <h1>${title}</h1>
          <div class="actions">
            ${
              task.state === 'done'
                ? postButton(viewer, `/tasks/${task.id}/retry`, 'Do it again', {
                    fields: { nth: String(options.relatives.retries.length) },
                  })
                : task.cancelRequestedAt === null
                  ? postButton(viewer, `/tasks/${task.id}/cancel`, 'Cancel', { tone: 'danger' })
                  : ''
            }
          </div>
        </div>
        <p class="lead">${badge(look)} ${howItStands(task)}</p>
        ${next(task)} ${facts(options)}
      </div>
      <section aria-labelledby="h-prompt">
        <h2 id="h-prompt">Prompt</h2>
        ${promptView(task.prompt)}
      </section>
      <section id="time" data-live aria-labelledby="h-time">
        <h2 id="h-time">Time</h2>
        ${timeline(task, milestones, nowMs)} ${notes(milestones)}
      </section>
      <div id="evidence" data-live>${evidenceView(task)}</div>
      <section aria-labelledby="h-output">
        <h2 id="h-output">Output</h2>
        ${outputView(task, output, after)}
      </section>
      <section id="diff" data-live aria-labelledby="h-diff">
        <h2 id="h-diff">Changes</h2>
        ${
          options.diff === null
            ? html`<p class="soft">
                ${task.state === 'done' ? 'There are none.' : 'They are shown when the task has ended.'}
              </p>`
            : diffView(options.diff, `/tasks/${task.id}/diff`)
        }
      </section>
    </article>`,
  )
}

function howItStands(task: Task): Html {
  const reason = task.reason === null ? '' : plainText(task.reason)
  if (task.outcome !== null) {
    const meaning = `${meaningOf(task.outcome)}.`
    return html`${meaning[0]?.toUpperCase()}${meaning.slice(1)} ${reason}`
  }
  if (task.cancelRequestedAt !== null) return html`It was asked to end.`
  return html`${reason}`
}

function next(task: Task): Html {
  const step = nextStep(task)
  return step === null ? '' : html`<p class="next">→ ${step}</p>`
}

function facts(options: TaskPageOptions): Html {
  const { task, relatives, nowMs } = options
  const pullRequest = task.evidence?.pullRequest ?? null
  const url = pullRequest === null ? null : webAddress(pullRequest.url)
  const links = (tasks: readonly { id: string }[]) =>
    tasks.map(({ id }) => html`<a class="mono" href="/tasks/${id}">${shortId(id)}</a> `)
  const rows: [string, Html | string | false][] = [
    ['Task', html`<span class="mono">${task.id}</span>`],
    [
      'Repository',
      html`<a href="${listAddress({ repo: task.repo })}" title="${task.repo}">${repoName(task.repo)}</a>`,
    ],
    ['Base', html`<span class="mono">${task.base ?? 'default branch'}</span>`],
    ['Branch', html`<span class="mono">${task.branch}</span>`],
    ['Agent', `${task.agent} on ${task.runtime}`],
    ['Attempt', task.attempt > 1 && String(task.attempt)],
    [
      'Run',
      task.runId !== null && html`<a class="mono" href="/runs/${task.runId}">${shortId(task.runId)}</a>`,
    ],
    ['Batch', task.batch ?? false],
    [
      'Pull request',
      pullRequest !== null &&
        (url === null
          ? String(pullRequest.number)
          : html`<a href="${url}" rel="noreferrer">${pullRequest.number}</a>`),
    ],
    ['Does again', task.retryOf !== null && html`${links([{ id: task.retryOf }])}`],
    ['Done again by', relatives.retries.length > 0 && html`${links(relatives.retries)}`],
    ['Needs', task.needs.length > 0 && html`${links(task.needs.map((id) => ({ id })))}`],
    ['Needed by', relatives.dependents.length > 0 && html`${links(relatives.dependents)}`],
    ['Queued', moment(task.createdAt)],
    ['Started', task.startedAt !== null && moment(task.startedAt)],
    ['Ended', task.endedAt !== null && html`${moment(task.endedAt)}, after ${workTime(task, nowMs)}`],
  ]
  return factList(rows)
}

const longPrompt = 1200

function promptView(prompt: string): Html {
  const text = plainText(prompt)
  if (text.length <= longPrompt) return html`<div class="prompt">${text}</div>`
  return html`<details id="prompt">
    <summary>
      ${text.slice(0, 200).trim()}…
      <span class="soft">all ${text.length.toLocaleString('en')} characters</span>
    </summary>
    <div class="prompt">${text}</div>
  </details>`
}

function notes(milestones: readonly TaskEvent[]): Html {
  const told = milestones.filter((event) => event.text !== '')
  if (told.length === 0) return ''
  return html`<details id="notes">
    <summary>What happened, in ${told.length} ${told.length === 1 ? 'line' : 'lines'}</summary>
    <ol class="notes">
      ${told.map(
        (event) =>
          html`<li>
            ${moment(event.at)} <span class="soft">${event.step ?? event.type}</span> ${plainText(event.text)}
          </li>`,
      )}
    </ol>
  </details>`
}
