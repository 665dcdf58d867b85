import { html } from 'hono/html'
import { nextStep } from '../core/next-step.ts'
import { elapsed } from '../model/elapsed.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Task } from '../model/task.ts'
import type { Night } from '../ports/dashboard.ts'
import { webAddress, type Html } from './html.ts'
import { page, postButton } from './layout.ts'
import { reasonLine, taskRows } from './task-rows.ts'
import type { Viewer } from './viewer.ts'
import { ago, badge, money, outcomeLook, plural, shortNumber } from './words.ts'

export interface OverviewOptions {
  readonly viewer: Viewer
  readonly night: Night
  readonly hours: number
  readonly nowMs: number
}

/** The hours that a reader can choose from. */
export const nightHours = [12, 24, 72, 168] as const

/** What the night did: first what waits for a person, then what runs, then what came of it. */
export function overviewPage(options: OverviewOptions): Html {
  const { viewer, night, hours, nowMs } = options
  const { queue } = night
  return page(
    { title: 'Overview', section: '/', viewer, follows: 'types=state,step.started' },
    html`<div id="overview" data-live>
      <div class="title-line">
        <h1>${headline(options)}</h1>
        <nav class="choices" aria-label="Hours">
          ${nightHours.map(
            (each) =>
              html`<a href="/?hours=${each}" ${each === hours ? html`aria-current="true"` : ''}
                >${hoursName(each)}</a
              >`,
          )}
        </nav>
      </div>
      ${numbers(options)} ${attention(night, nowMs)}
      <section aria-labelledby="running">
        <h2 id="running">Running now <span class="count">${night.running.length}</span></h2>
        ${
          night.running.length === 0
            ? html`<p class="soft">
                ${queue.paused ? 'The queue is paused; nothing starts until it is resumed.' : 'Nothing runs.'}
                ${queue.states.queued > 0 ? `${plural(queue.states.queued, 'task waits', 'tasks wait')} in the queue.` : ''}
              </p>`
            : taskRows(
                night.running.map(({ task }) => task),
                nowMs,
                stepLine(night, nowMs),
              )
        }
      </section>
      ${workers(options)}
    </div>`,
  )
}

function headline({ night }: OverviewOptions): string {
  const waiting = night.failedCount + night.open.length
  if (waiting > 0) return `${plural(waiting, 'task waits', 'tasks wait')} for you`
  if (night.held.length > 0)
    return `Nothing failed; ${plural(night.held.length, 'task is', 'tasks are')} held`
  if (night.queue.states.running + night.queue.states.queued > 0) return 'Work goes on, nothing waits for you'
  return 'All is quiet'
}

function numbers({ night, hours, viewer }: OverviewOptions): Html {
  const { queue } = night
  const ended = Object.entries(night.outcomes) as [Outcome, number][]
  const total = ended.reduce((sum, [, count]) => sum + count, 0)
  const order = (outcome: Outcome) =>
    ['good', 'calm', 'wait', 'busy', 'bad'].indexOf(outcomeLook(outcome).tone)
  const sorted = ended.toSorted(([a], [b]) => order(b) - order(a))
  return html`<section aria-label="Numbers" class="numbers">
    <div class="number wide">
      <span class="label">Ended in ${hoursName(hours)}</span>
      <span class="value">${total.toLocaleString('en')}</span>
      <span class="outcomes">
        ${sorted.map(
          ([outcome, count]) =>
            html`<a class="outcome" href="/tasks?outcome=${outcome}"
              >${badge(outcomeLook(outcome))} <b>${count.toLocaleString('en')}</b></a
            >`,
        )}
      </span>
    </div>
    ${number('Spent', money(night.costUsd), tokens(night))}
    ${number('Lines', `+${shortNumber(night.insertions)} −${shortNumber(night.deletions)}`, 'in finished work')}
    <div class="number">
      <span class="label">Queue</span>
      <span class="value">${queue.paused ? 'paused' : plural(queue.states.queued, 'waits', 'wait')}</span>
      <span class="soft">${queue.states.running} running, ${queue.states.held} held</span>
      ${
        queue.paused
          ? postButton(viewer, '/resume', 'Resume', { tone: 'primary' })
          : postButton(viewer, '/pause', 'Pause')
      }
    </div>
  </section>`
}

function number(label: string, value: string, below: string): Html {
  return html`<div class="number">
    <span class="label">${label}</span><span class="value">${value}</span><span class="soft">${below}</span>
  </div>`
}

function tokens(night: Night): string {
  if (night.inputTokens + night.outputTokens === 0) return 'no tokens reported'
  return `${shortNumber(night.inputTokens)} tokens in, ${shortNumber(night.outputTokens)} out`
}

function attention(night: Night, nowMs: number): Html {
  const { failed, failedCount, open, held } = night
  return html`<section aria-labelledby="attention">
    <h2 id="attention">Needs you <span class="count">${failedCount + open.length + held.length}</span></h2>
    ${
      failedCount + open.length + held.length === 0
        ? html`<p class="soft">Nothing failed, nothing is held, no pull request is open.</p>`
        : ''
    }
    ${group('Ended badly', failed, failedCount, nowMs, failedLine)}
    ${group('Pull requests to look at', open, open.length, nowMs, pullRequestLine)}
    ${group('Held', held, held.length, nowMs, reasonLine)}
  </section>`
}

function group(
  title: string,
  tasks: readonly Task[],
  count: number,
  nowMs: number,
  more: (task: Task) => Html,
): Html {
  if (tasks.length === 0) return ''
  const hidden = count - tasks.length
  return html`<h3>${title} <span class="count">${count}</span></h3>
    ${taskRows(tasks, nowMs, more)} ${hidden > 0 ? html`<p class="soft">and ${hidden} more</p>` : ''}`
}

function failedLine(task: Task): Html {
  const next = nextStep(task)
  return html`${reasonLine(task)} ${next === null ? '' : html`<span class="next">→ ${next}</span>`}`
}

function pullRequestLine(task: Task): Html {
  const pullRequest = task.evidence?.pullRequest ?? null
  const url = pullRequest === null ? null : webAddress(pullRequest.url)
  if (pullRequest === null || url === null) return reasonLine(task)
  return html`<span class="next"
    >→ <a href="${url}" rel="noreferrer">pull request ${pullRequest.number}</a></span
  >`
}

function stepLine(night: Night, nowMs: number): (task: Task) => Html {
  const steps = new Map(night.running.map((each) => [each.task.id, each]))
  return (task) => {
    const at = steps.get(task.id)
    if (at === undefined || at.step === null || at.stepSince === null) return ''
    return html`<span class="reason">${at.step} for ${elapsed(nowMs - Date.parse(at.stepSince))}</span>`
  }
}

function workers({ night: { queue }, nowMs }: OverviewOptions): Html {
  return html`<section aria-labelledby="workers">
    <h2 id="workers">Workers <span class="count">${queue.workers.length}</span></h2>
    ${
      queue.workers.length === 0
        ? html`<p class="soft">No worker: nothing starts. Start <code>nightshift worker</code>.</p>`
        : html`<ul class="workers">
            ${queue.workers.map(
              (worker) =>
                html`<li>
                  <span>${worker.host} <span class="soft">process ${worker.pid}</span></span>
                  <span
                    class="slots"
                    role="img"
                    aria-label="${worker.running} of ${worker.slots} slots in use"
                    >${Array.from({ length: Math.min(worker.slots, 64) }, (_, index) =>
                      index < worker.running ? html`<i class="used"></i>` : html`<i></i>`,
                    )}</span
                  >
                  <span class="soft">seen ${ago(worker.seenAt, nowMs)}</span>
                </li>`,
            )}
          </ul>`
    }
  </section>`
}

function hoursName(hours: number): string {
  return hours > 24 ? `${hours / 24} days` : `${hours} hours`
}
