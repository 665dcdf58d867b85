import { isGood } from '../model/outcome.ts'
import type { Task } from '../model/task.ts'
import type { Terminal } from './terminal.ts'

/** The outcome of a task that is done, else its state; coloured by whether it is good. */
export function paintedState(task: Task, terminal: Terminal, text: string = stateOf(task)): string {
  if (task.outcome !== null) return terminal.paint(isGood(task.outcome) ? 'green' : 'red', text)
  return task.state === 'running' ? terminal.paint('yellow', text) : text
}

export function stateOf(task: Task): string {
  return task.outcome ?? (task.cancelRequestedAt === null ? task.state : 'cancelling')
}
