import { html } from 'hono/html'
import { shortId } from '../model/task-id.ts'
import type { Task } from '../model/task.ts'
import { plainText } from './browser/ansi.js'
import type { Html } from './html.ts'
import { ago, badge, lookOf, money, repoName, titleOf, workTime } from './words.ts'

/** Tasks, one below the other: how each stands, what it is about, what it took. `more`: a line of its own for one. */
export function taskRows(
  tasks: readonly Task[],
  nowMs: number,
  more: (task: Task) => Html = reasonLine,
): Html {
  return html`<ol class="rows">
    ${tasks.map((task) => taskRow(task, nowMs, more(task)))}
  </ol>`
}

function taskRow(task: Task, nowMs: number, more: Html): Html {
  const { evidence } = task
  const cost = evidence?.agent?.costUsd ?? null
  const lines = evidence !== null && evidence.headSha !== null
  return html`<li class="row">
    <span class="state">${badge(lookOf(task))}</span>
    <span class="what">
      <a href="/tasks/${task.id}">${titleOf(task.prompt)}</a>
      <span class="meta">
        <span class="mono">${shortId(task.id)}</span>
        <span title="${task.repo}">${repoName(task.repo)}</span>
        <span>${task.agent}</span>
        ${task.attempt > 1 ? html`<span>attempt ${task.attempt}</span>` : ''}
      </span>
      ${more}
    </span>
    <span class="facts">
      ${lines ? html`<span class="mono">+${evidence.insertions} −${evidence.deletions}</span>` : ''}
      ${cost === null ? '' : html`<span class="mono">${money(cost)}</span>`}
      ${task.startedAt === null ? '' : html`<span class="mono">${workTime(task, nowMs)}</span>`}
      <span class="soft">${ago(task.endedAt ?? task.createdAt, nowMs)}</span>
    </span>
  </li>`
}

/** Why it waits, or why it ended so. */
export function reasonLine(task: Task): Html {
  if (task.reason === null) return ''
  const text = plainText(task.reason).replaceAll(/\s+/g, ' ')
  return html`<span class="reason">${text.length > 300 ? `${text.slice(0, 299)}…` : text}</span>`
}
