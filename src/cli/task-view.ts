import { nextStep } from '../core/next-step.ts'
import type { TaskEvent } from '../model/event.ts'
import type { Evidence } from '../model/evidence.ts'
import { isGood } from '../model/outcome.ts'
import { shortId } from '../model/task-id.ts'
import type { Task } from '../model/task.ts'
import { elapsed } from '../model/elapsed.ts'
import { meaningOf } from '../core/outcome-meanings.ts'
import { paintedState } from './outcome-text.ts'
import { oneLine, wrap } from './terminal-text.ts'
import type { Terminal } from './terminal.ts'

const maxFiles = 20

/** A task as text: what it is, how it ended, what proves it, what happened when (`timeline`: events without output). */
export function showTask(task: Task, timeline: readonly TaskEvent[], terminal: Terminal): string {
  const { width } = terminal
  const facts: (readonly [string, string])[] = [
    ['Repository', task.repo],
    ['Base', task.base ?? 'the default branch'],
    ['Branch', task.branch],
    ['Agent', `${task.agent}, runtime ${task.runtime}, attempt ${task.attempt}`],
    ['Created', task.createdAt],
    ['Started', task.startedAt ?? ''],
    ['Ended', task.endedAt ?? ''],
    ['Needs', task.needs.map(shortId).join(' ')],
    ['Does again', task.retryOf ?? ''],
  ]
  const evidence = task.evidence === null ? [] : evidenceFacts(task.evidence)
  return [
    `${terminal.paint('bold', `Task ${task.id}`)}  ${paintedState(task, terminal)}`,
    ...endLines(task, width),
    '',
    ...factLines(facts, width),
    '',
    'Prompt',
    wrap(task.prompt.trim(), width, '  '),
    ...section('Evidence', factLines(evidence, width)),
    ...section('Steps', timelineLines(task, timeline, width)),
  ].join('\n')
}

function endLines(task: Task, width: number): string[] {
  if (task.outcome === null) return task.reason === null ? [] : [wrap(task.reason, width, '  ')]
  const meaning = meaningOf(task.outcome)
  const lines = [wrap(`${meaning.charAt(0).toUpperCase()}${meaning.slice(1)}.`, width, '  ')]
  if (task.reason !== null) lines.push(wrap(task.reason, width, '  '))
  const next = isGood(task.outcome) ? null : nextStep(task)
  return next === null ? lines : [...lines, wrap(`→ ${next}`, width, '  ')]
}

function evidenceFacts(evidence: Evidence): (readonly [string, string])[] {
  const { agent, policy, pullRequest } = evidence
  const { files } = evidence
  const shown = files.slice(0, maxFiles).join('\n')
  const rest = files.length > maxFiles ? `\nand ${files.length - maxFiles} more` : ''
  return [
    ['Base', evidence.baseSha ?? ''],
    ['Head', evidence.headSha ?? ''],
    ['Confirmed', evidence.confirmedAt === null ? 'no' : `by the remote at ${evidence.confirmedAt}`],
    [
      'Changes',
      `${counted(evidence.commits, 'commit')}, ${counted(files.length, 'file')}, +${evidence.insertions} -${evidence.deletions}`,
    ],
    ['Files', shown + rest],
    [
      'Policy',
      policy === null
        ? ''
        : policy.passed
          ? 'passed'
          : policy.violations.map((each) => each.message).join('\n'),
    ],
    [
      'Checks',
      evidence.checks
        .map(
          ({ name, exitCode }) => `${name}: ${exitCode === 0 ? 'passed' : `exit code ${exitCode ?? 'none'}`}`,
        )
        .join('\n'),
    ],
    [
      'Agent',
      agent === null ? '' : `${agent.name} ${agent.version ?? ''} exit code ${agent.exitCode ?? 'none'}`,
    ],
    ['Pull request', pullRequest?.url ?? ''],
  ]
}

function factLines(facts: readonly (readonly [string, string])[], width: number): string[] {
  return facts
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `  ${name.padEnd(12)} ${wrap(value, width, ' '.repeat(15)).trimStart()}`)
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines]
}

function timelineLines(task: Task, timeline: readonly TaskEvent[], width: number): string[] {
  const start = Date.parse(task.createdAt)
  return timeline.map((event) => {
    const when = elapsed(Date.parse(event.at) - start).padStart(8)
    const what = [event.step ?? event.type, event.text].filter((part) => part !== '').join('  ')
    return `  ${when}  ${oneLine(what, width - 12)}`
  })
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
