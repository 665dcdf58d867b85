import type { TaskEvent } from '../model/event.ts'
import { shortId } from '../model/task-id.ts'
import type { Task } from '../model/task.ts'
import { elapsed } from '../model/elapsed.ts'
import { createLiveRegion } from './live-region.ts'
import { paintedState, stateOf } from './outcome-text.ts'
import { oneLine } from './terminal-text.ts'
import type { Terminal } from './terminal.ts'

/** Tells a person what a run does, on stderr. */
export interface Progress {
  happened(task: Task, event: TaskEvent): void
  /** The task as it is now. */
  changed(task: Task): void
  close(): void
}

/** Live on a terminal: one line for each running task. Elsewhere a plain line for each step. */
export function createProgress(terminal: Terminal, tasks: readonly Task[]): Progress {
  return terminal.stderr.isTTY === true ? liveProgress(terminal, tasks) : plainProgress(terminal)
}

function plainProgress(terminal: Terminal): Progress {
  const ended = new Set<string>()
  return {
    happened(task, event) {
      const id = shortId(task.id)
      if (event.type === 'step.started')
        terminal.say(`[${id}] ${event.step ?? ''} ${oneLine(event.text, 200)}`.trimEnd())
      if (event.type === 'note') terminal.say(`[${id}] note: ${oneLine(event.text, 200)}`)
    },
    changed(task) {
      if (task.state !== 'done' || ended.has(task.id)) return
      ended.add(task.id)
      terminal.say(`[${shortId(task.id)}] ${endText(task)}`)
    },
    close() {},
  }
}

function liveProgress(terminal: Terminal, tasks: readonly Task[]): Progress {
  const live = new Map(tasks.map((task) => [task.id, { task, step: '', since: performance.now() }]))
  const region = createLiveRegion(terminal.stderr, (width) => {
    const waiting = [...live.values()].filter(({ task }) => task.state !== 'running').length
    const lines = [...live.values()]
      .filter(({ task }) => task.state === 'running')
      .map(({ task, step, since }) => {
        const time = elapsed(performance.now() - since).padStart(6)
        const doing = task.cancelRequestedAt === null ? step : 'cancelling'
        const head = `${shortId(task.id)} ${time}  ${doing.padEnd(10)} `
        return head + oneLine(task.prompt, width - head.length)
      })
    return waiting === 0 ? lines : [...lines, `${waiting} waiting`]
  })
  return {
    happened(task, event) {
      const line = live.get(task.id)
      if (line === undefined) return
      if (event.type === 'step.started') {
        line.step = event.step ?? ''
        region.draw()
      }
      if (event.type === 'note') region.above(`${shortId(task.id)} ${oneLine(event.text, region.width - 9)}`)
    },
    changed(task) {
      const line = live.get(task.id)
      if (line === undefined) return
      if (task.state === 'running' && line.task.state !== 'running') line.since = performance.now()
      line.task = task
      if (task.state !== 'done') return
      live.delete(task.id)
      const state = paintedState(task, terminal, stateOf(task))
      region.above(`${shortId(task.id)} ${state} ${oneLine(endDetail(task), region.width - 25)}`)
    },
    close: () => region.close(),
  }
}

function endText(task: Task): string {
  return `${stateOf(task)} ${endDetail(task)}`
}

function endDetail(task: Task): string {
  if (task.reason !== null) return oneLine(task.reason, 300)
  return task.evidence?.headSha === null || task.evidence === null ? '' : task.branch
}
