import { html } from 'hono/html'
import { outcomes } from '../model/outcome.ts'
import { states, type Task } from '../model/task.ts'
import type { Page } from '../ports/task-store.ts'
import type { Html } from './html.ts'
import { page } from './layout.ts'
import { taskRows } from './task-rows.ts'
import type { Viewer } from './viewer.ts'

/** What the list is narrowed to, as it stands in its address. */
export interface TaskListQuery {
  readonly state: string
  readonly outcome: string
  readonly repo: string
  readonly run: string
  readonly text: string
  readonly cursor: string
}

export interface TasksPageOptions {
  readonly viewer: Viewer
  readonly query: TaskListQuery
  readonly found: Page<Task>
  readonly repositories: readonly string[]
  readonly nowMs: number
}

export function tasksPage(options: TasksPageOptions): Html {
  const { viewer, query, found, repositories, nowMs } = options
  const narrowed = Object.entries(query).some(([key, value]) => key !== 'cursor' && value !== '')
  return page(
    { title: 'Tasks', section: '/tasks', viewer, follows: 'types=state' },
    html`<h1>Tasks</h1>
      <form method="get" action="/tasks" class="filters" role="search" aria-label="Tasks">
        <label class="grow"
          >Words or id <input type="search" name="text" value="${query.text}" data-search autocomplete="off"
        /></label>
        <label>State ${select('state', states, query.state)}</label>
        <label>Outcome ${select('outcome', outcomes, query.outcome)}</label>
        <label class="grow"
          >Repository <input name="repo" value="${query.repo}" list="repositories" autocomplete="off"
        /></label>
        <datalist id="repositories">
          ${repositories.map((repo) => html`<option value="${repo}"></option>`)}
        </datalist>
        ${query.run === '' ? '' : html`<label>Run <input name="run" value="${query.run}" /></label>`}
        <button type="submit" class="primary">Find</button>
        ${narrowed ? html`<a class="clear" href="/tasks">Show all</a>` : ''}
      </form>
      <div id="tasks" data-live>
        ${
          found.items.length === 0
            ? html`<p class="soft">
                ${narrowed ? 'No task is like that.' : html`No task yet. <code>nightshift submit</code> queues one.`}
              </p>`
            : taskRows(found.items, nowMs)
        }
        <nav class="pages" aria-label="More tasks">
          ${query.cursor === '' ? '' : html`<a href="${listAddress({ ...query, cursor: '' })}">← Newest</a>`}
          ${
            found.nextCursor === null
              ? ''
              : html`<a rel="next" href="${listAddress({ ...query, cursor: found.nextCursor })}">Older →</a>`
          }
        </nav>
      </div>`,
  )
}

/** The address of a list, without what is not asked for. */
export function listAddress(query: Partial<TaskListQuery>): string {
  const given = Object.entries(query).filter(([, value]) => value !== '')
  const text = new URLSearchParams(given).toString()
  return text === '' ? '/tasks' : `/tasks?${text}`
}

function select(name: string, options: readonly string[], chosen: string): Html {
  return html`<select name="${name}">
    <option value="">any</option>
    ${options.map(
      (option) =>
        html`<option value="${option}" ${option === chosen ? html`selected` : ''}>
          ${option.replaceAll('_', ' ')}
        </option>`,
    )}
  </select>`
}
