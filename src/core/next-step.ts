import { shortId } from '../model/task-id.ts'
import type { Task } from '../model/task.ts'

/** What a person does next about a task that did not end well; `null`: nothing. */
export function nextStep(task: Task): string | null {
  const id = shortId(task.id)
  switch (task.outcome) {
    case null:
    case 'merged':
    case 'open':
    case 'pushed':
    case 'no_changes':
    case 'closed':
      return null
    case 'rejected':
    case 'checks_failed':
      return `look: nightshift diff ${id}, or fetch it: nightshift bundle ${id}; then change the prompt, or the rule in .nightshift.yaml on the base`
    case 'agent_failed':
      return `look: nightshift logs ${id}; then: nightshift retry ${id}`
    case 'conflict':
      return `do it again on the base of today: nightshift retry ${id}`
    case 'timed_out':
      return `submit it with a longer --timeout, or in smaller parts`
    case 'over_budget':
      return `submit it with a higher --max-cost, or in smaller parts`
    case 'cancelled':
      return `to do it after all: nightshift retry ${id}`
    case 'skipped':
      return `mend the task it needs, then: nightshift retry ${id}`
    case 'invalid':
      return `mend what the reason says, then: nightshift retry ${id}`
    case 'error':
      return `look: nightshift doctor and nightshift logs ${id}; then: nightshift retry ${id}`
    default:
      return task.outcome satisfies never
  }
}
