import { nextStep } from '../core/next-step.ts'
import { isGood } from '../model/outcome.ts'
import { shortId, withShortIds } from '../model/task-id.ts'
import type { Task } from '../model/task.ts'
import { elapsed } from '../model/elapsed.ts'
import { meaningOf } from '../core/outcome-meanings.ts'
import { paintedState, stateOf } from './outcome-text.ts'
import { table } from './table.ts'
import { wrap } from './terminal-text.ts'
import type { Terminal } from './terminal.ts'

const columns = [
  { title: 'TASK' },
  { title: 'OUTCOME' },
  { title: 'BRANCH', shrinkTo: 12 },
  { title: 'FILES +/-', align: 'right' as const },
  { title: 'HEAD' },
  { title: 'TIME', align: 'right' as const },
]

/** How the tasks of a run ended; below, for each that did not end well, why and what to do. */
export function closingTable(tasks: readonly Task[], terminal: Terminal): string {
  const rows = tasks.map((task) => [
    shortId(task.id),
    stateOf(task),
    hasBranch(task) ? task.branch : '-',
    changes(task),
    task.evidence?.headSha?.slice(0, 7) ?? '-',
    time(task),
  ])
  const paint = (text: string, row: number, column: number) => {
    const task = tasks[row]
    return column === 1 && task !== undefined ? paintedState(task, terminal, text) : text
  }
  const bad = tasks.filter((task) => task.outcome === null || !isGood(task.outcome))
  const { width } = terminal
  return [table(columns, rows, width, paint), ...bad.map((task) => `\n${explanation(task, width)}`)].join(
    '\n',
  )
}

function explanation(task: Task, width: number): string {
  const why = withShortIds(
    task.reason ?? (task.outcome === null ? 'it has not ended' : meaningOf(task.outcome)),
  )
  const next = nextStep(task)
  const lines = [wrap(`${shortId(task.id)} ${stateOf(task)}: ${why}`, width)]
  if (next !== null) lines.push(wrap(`→ ${next}`, width, '  '))
  return lines.join('\n')
}

/** Whether the remote has the branch, as the remote itself said. */
function hasBranch(task: Task): boolean {
  return task.evidence !== null && task.evidence.confirmedAt !== null
}

function changes(task: Task): string {
  const { evidence } = task
  if (evidence === null || evidence.headSha === null) return '-'
  return `${evidence.files.length} +${evidence.insertions} -${evidence.deletions}`
}

function time(task: Task): string {
  if (task.startedAt === null || task.endedAt === null) return '-'
  return elapsed(Date.parse(task.endedAt) - Date.parse(task.startedAt))
}
