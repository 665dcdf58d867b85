import { isGood, type Outcome } from '../model/outcome.ts'
import type { Task } from '../model/task.ts'
import type { Terminal } from './terminal.ts'

const meanings: Readonly<Record<Outcome, string>> = {
  merged: 'the pull request was merged',
  open: 'a pull request is open',
  pushed: 'the branch is on the remote',
  no_changes: 'the agent ended well, and nothing differs from the base: there is no branch',
  rejected: 'the work broke a policy, and was not pushed',
  checks_failed: 'a check failed on the work, and it was not pushed',
  agent_failed: 'the agent ended badly',
  conflict: 'the work could not be brought onto the moved base',
  closed: 'a person closed the pull request',
  timed_out: 'its time ran out',
  cancelled: 'it was cancelled',
  over_budget: 'its money ran out',
  skipped: 'a task that it needed ended badly',
  invalid: 'it could not be done as asked',
  error: 'the machinery failed, after all its retries',
}

/** What an outcome means, as a clause. */
export function meaningOf(outcome: Outcome): string {
  return meanings[outcome]
}

/** The outcome of a task that is done, else its state; coloured by whether it is good. */
export function paintedState(task: Task, terminal: Terminal, text: string = stateOf(task)): string {
  if (task.outcome !== null) return terminal.paint(isGood(task.outcome) ? 'green' : 'red', text)
  return task.state === 'running' ? terminal.paint('yellow', text) : text
}

export function stateOf(task: Task): string {
  return task.outcome ?? (task.cancelRequestedAt === null ? task.state : 'cancelling')
}
