import { html } from 'hono/html'
import { elapsed } from '../model/elapsed.ts'
import type { TaskEvent } from '../model/event.ts'
import type { Task } from '../model/task.ts'
import type { Html } from './html.ts'

/** A stretch of a task's time. */
export interface Bar {
  readonly fromMs: number
  readonly toMs: number
  readonly kind: 'wait' | 'ok' | 'failed' | 'open'
  readonly title: string
}

export interface Lane {
  readonly name: string
  readonly bars: readonly Bar[]
}

/** The stretches of a task by step, in the order in which steps first came; waiting comes first. */
export function lanesOf(task: Task, events: readonly TaskEvent[], nowMs: number): Lane[] {
  const endMs = task.endedAt === null ? nowMs : Date.parse(task.endedAt)
  const lanes = new Map<string, Bar[]>([['waiting', waits(task, events, endMs)]])
  const begun = new Map<string, TaskEvent>()
  const add = (step: string, bar: Bar) => lanes.set(step, [...(lanes.get(step) ?? []), bar])
  for (const event of events) {
    const { step } = event
    if (step === null) continue
    const key = `${event.attempt} ${step}`
    if (event.type === 'step.started') {
      begun.set(key, event)
      if (!lanes.has(step)) lanes.set(step, [])
    } else if (event.type === 'step.ended') {
      const start = begun.get(key)
      begun.delete(key)
      const toMs = Date.parse(event.at)
      const durationMs = typeof event.data['durationMs'] === 'number' ? event.data['durationMs'] : 0
      const fromMs = start === undefined ? toMs - durationMs : Date.parse(start.at)
      const kind = event.data['ok'] === false ? 'failed' : 'ok'
      add(step, { fromMs, toMs, kind, title: barTitle(event, toMs - fromMs, kind) })
    }
  }
  // What was never ended: it runs, or its worker died; then it went on until the task did something else.
  for (const event of begun.values()) {
    const fromMs = Date.parse(event.at)
    const last = event.attempt === task.attempt
    const next = last ? undefined : events.find((each) => each.attempt > event.attempt)
    const toMs = next === undefined ? endMs : Date.parse(next.at)
    const kind = last ? (task.state === 'running' ? 'open' : 'ok') : 'failed'
    add(event.step ?? '', { fromMs, toMs, kind, title: barTitle(event, toMs - fromMs, kind) })
  }
  return [...lanes].flatMap(([name, bars]) => (bars.length === 0 ? [] : [{ name, bars }]))
}

function waits(task: Task, events: readonly TaskEvent[], endMs: number): Bar[] {
  const bars: Bar[] = []
  let since: { ms: number; why: string } | null = { ms: Date.parse(task.createdAt), why: 'queued' }
  for (const event of events) {
    if (event.type !== 'state') continue
    const ms = Date.parse(event.at)
    if (since !== null && ms > since.ms) bars.push(wait(since, ms))
    const state = event.data['state']
    since = state === 'queued' || state === 'held' ? { ms, why: event.text } : null
  }
  if (since !== null && task.state !== 'running' && endMs > since.ms) bars.push(wait(since, endMs))
  return bars
}

function wait(since: { ms: number; why: string }, toMs: number): Bar {
  return { fromMs: since.ms, toMs, kind: 'wait', title: `${since.why}, ${elapsed(toMs - since.ms)}` }
}

function barTitle(event: TaskEvent, ms: number, kind: Bar['kind']): string {
  const how = { ok: '', failed: ', failed', open: ', still running', wait: '' }[kind]
  return `${event.step} in attempt ${event.attempt}: ${elapsed(ms)}${how}`
}

/** The lanes as bars over the task's time. Its facts are in its titles and numbers, too. */
export function timeline(task: Task, events: readonly TaskEvent[], nowMs: number): Html {
  const lanes = lanesOf(task, events, nowMs)
  const bars = lanes.flatMap((lane) => lane.bars)
  const fromMs = Math.min(Date.parse(task.createdAt), ...bars.map((bar) => bar.fromMs))
  const toMs = Math.max(...bars.map((bar) => bar.toMs), fromMs + 1)
  const part = (ms: number) => `${((100 * (ms - fromMs)) / (toMs - fromMs)).toFixed(3)}%`
  const width = (bar: Bar) =>
    `${Math.max(0.4, (100 * (bar.toMs - bar.fromMs)) / (toMs - fromMs)).toFixed(3)}%`
  return html`<ol class="timeline">
      ${lanes.map(
        (lane) =>
          html`<li>
            <span class="lane">${lane.name}</span>
            <svg class="bars" aria-hidden="true" preserveAspectRatio="none" height="14">
              ${lane.bars.map(
                (bar) =>
                  html`<rect
                    class="bar ${bar.kind}"
                    x="${part(bar.fromMs)}"
                    y="2"
                    width="${width(bar)}"
                    height="10"
                    rx="2"
                  >
                    <title>${bar.title}</title>
                  </rect>`,
              )}
            </svg>
            <span class="took">${took(lane)}</span>
          </li>`,
      )}
    </ol>
    <p class="soft">${elapsed(toMs - fromMs)} from queued to ${task.endedAt === null ? 'now' : 'the end'}</p>`
}

function took(lane: Lane): string {
  const total = elapsed(lane.bars.reduce((sum, bar) => sum + Math.max(0, bar.toMs - bar.fromMs), 0))
  const failed = lane.bars.filter((bar) => bar.kind === 'failed').length
  const times = lane.bars.length > 1 && lane.name !== 'waiting' ? ` ×${lane.bars.length}` : ''
  return `${total}${times}${failed > 0 ? ' ✕' : ''}`
}
