import { html } from 'hono/html'
import type { Schedule } from '../model/schedule/schedule.ts'
import { plainText } from './browser/ansi.js'
import type { Html } from './html.ts'
import { page, postButton } from './layout.ts'
import type { Viewer } from './viewer.ts'
import { badge, moment, money, repoName, titleOf, type Look } from './words.ts'

/** What starts by itself, how it went the last time, and when next. */
export function schedulesPage(viewer: Viewer, schedules: readonly Schedule[]): Html {
  return page(
    { title: 'Schedules', section: '/schedules', viewer, follows: 'types=state' },
    html`<h1>Schedules</h1>
      <div id="schedules" data-live>
        ${
          schedules.length === 0
            ? html`<p class="soft">No schedule yet. <code>nightshift schedule add</code> makes one.</p>`
            : schedules.map((schedule) => scheduleView(viewer, schedule))
        }
      </div>`,
  )
}

function scheduleView(viewer: Viewer, schedule: Schedule): Html {
  const { name, last } = schedule
  const path = `/schedules/${encodeURIComponent(name)}`
  return html`<section class="schedule" aria-label="${name}">
    <div class="title-line">
      <h2>${name} ${schedule.paused ? badge({ tone: 'wait', sign: '◐', word: 'paused' }) : ''}</h2>
      <div class="actions">
        ${postButton(viewer, `${path}/run`, 'Run now', { fields: { last: last?.at ?? '' } })}
        ${
          schedule.paused
            ? postButton(viewer, `${path}/resume`, 'Resume')
            : postButton(viewer, `${path}/pause`, 'Pause')
        }
      </div>
    </div>
    <p>${what(schedule)}</p>
    <dl class="facts">
      <div>
        <dt>When</dt>
        <dd><code>${schedule.cron}</code> ${schedule.timeZone}</dd>
      </div>
      <div>
        <dt>Last</dt>
        <dd>${last === null ? 'never' : lastTime(last)}</dd>
      </div>
      <div>
        <dt>Next five</dt>
        <dd>
          ${
            schedule.next.length === 0
              ? 'none while it is paused'
              : html`<ol class="times">
                  ${schedule.next.map((at) => html`<li>${moment(at)}</li>`)}
                </ol>`
          }
        </dd>
      </div>
      <div>
        <dt>Rules</dt>
        <dd>
          ${schedule.overlap === 'skip' ? 'left out' : 'started afterwards'} while the last one goes on;
          missed times are ${schedule.missed === 'skip' ? 'left out' : 'made up for once'}
          ${schedule.window === null ? '' : `; starts within ${schedule.window}`}
          ${schedule.maxCost === null ? '' : `; at most ${money(schedule.maxCost)} a night`}
        </dd>
      </div>
    </dl>
  </section>`
}

function what(schedule: Schedule): Html {
  if (schedule.planPath !== null) {
    return html`The plan <span class="mono">${plainText(schedule.planPath)}</span> of
      ${repoName(schedule.repo ?? '')}`
  }
  const prompt = schedule.task?.['prompt']
  return html`${typeof prompt === 'string' ? titleOf(prompt) : 'A task'}`
}

function lastTime(last: NonNullable<Schedule['last']>): Html {
  const look = lookOfFiring(last.state)
  return html`${moment(last.at)} ${badge(look)}
  ${last.runId === null ? '' : html`<a href="/runs/${last.runId}">run</a>`}
  ${last.reason === null ? '' : html`<span class="soft">${plainText(last.reason)}</span>`}`
}

function lookOfFiring(state: NonNullable<Schedule['last']>['state']): Look {
  switch (state) {
    case 'pending':
    case 'waiting':
      return { tone: 'wait', sign: '◐', word: state }
    case 'started':
      return { tone: 'good', sign: '✓', word: state }
    case 'skipped':
      return { tone: 'calm', sign: '–', word: 'left out' }
    case 'failed':
      return { tone: 'bad', sign: '✕', word: state }
    default:
      return state satisfies never
  }
}
