import { html } from 'hono/html'
import { elapsed } from '../model/elapsed.ts'
import { isGood, type Outcome } from '../model/outcome.ts'
import type { Task } from '../model/task.ts'
import { plainText } from './browser/ansi.js'
import type { Html } from './html.ts'

/** How a task looks at a glance: a sign, a word and a colour, none of which is needed for the other two. */
export interface Look {
  readonly tone: 'good' | 'bad' | 'busy' | 'wait' | 'calm'
  readonly sign: string
  readonly word: string
}

export function lookOf(task: Pick<Task, 'state' | 'outcome' | 'cancelRequestedAt'>): Look {
  switch (task.state) {
    case 'queued':
      return { tone: 'calm', sign: '○', word: 'queued' }
    case 'held':
      return { tone: 'wait', sign: '◐', word: 'held' }
    case 'running':
      return task.cancelRequestedAt === null
        ? { tone: 'busy', sign: '●', word: 'running' }
        : { tone: 'busy', sign: '●', word: 'cancelling' }
    case 'done':
      return outcomeLook(task.outcome ?? 'error')
    default:
      return task.state satisfies never
  }
}

export function outcomeLook(outcome: Outcome): Look {
  const word = outcome.replaceAll('_', ' ')
  if (outcome === 'open') return { tone: 'good', sign: '◇', word }
  if (outcome === 'no_changes') return { tone: 'calm', sign: '✓', word }
  if (isGood(outcome)) return { tone: 'good', sign: '✓', word }
  if (outcome === 'cancelled' || outcome === 'skipped') return { tone: 'calm', sign: '–', word }
  return { tone: 'bad', sign: '✕', word }
}

export function badge(look: Look): Html {
  return html`<span class="badge ${look.tone}"
    ><span aria-hidden="true">${look.sign}</span> ${look.word}</span
  >`
}

/** The first line of a prompt that says something, fit for one line. */
export function titleOf(prompt: string, length = 140): string {
  const line =
    plainText(prompt.slice(0, 4000))
      .split('\n')
      .find((each) => each.trim() !== '')
      ?.trim() ?? ''
  const characters = [...line]
  return characters.length <= length ? line : `${characters.slice(0, length - 1).join('')}…`
}

/** The end of a repository's address or path, which tells it from others; the whole is its title. */
export function repoName(repo: string): string {
  const parts = plainText(repo)
    .replace(/\.git\/?$/, '')
    .split('/')
    .filter((part) => part !== '')
  return parts.slice(-2).join('/') || repo
}

/** A moment, which the browser shows in its own time zone. */
export function moment(iso: string | null): Html {
  if (iso === null) return html`–`
  const shown = `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`
  return html`<time datetime="${iso}">${shown}</time>`
}

/** How long ago, at a glance. */
export function ago(iso: string | null, nowMs: number): Html {
  if (iso === null) return ''
  const text = `${elapsed(nowMs - Date.parse(iso)).replace(/^\d\.\ds$/, 'a moment')} ago`
  return html`<time datetime="${iso}" data-ago>${text}</time>`
}

/** How long a task has worked or did work; `''`: it has not begun. */
export function workTime(task: Task, nowMs: number): string {
  if (task.startedAt === null) return ''
  const end = task.endedAt === null ? nowMs : Date.parse(task.endedAt)
  return elapsed(end - Date.parse(task.startedAt))
}

export function money(usd: number): string {
  return usd > 0 && usd < 0.01 ? '< $0.01' : `$${usd.toFixed(2)}`
}

/** 950, 12.3k, 4.1M */
export function shortNumber(value: number): string {
  if (value < 1000) return String(value)
  if (value < 1_000_000) return `${(value / 1000).toFixed(value < 10_000 ? 1 : 0)}k`
  return `${(value / 1_000_000).toFixed(1)}M`
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}
