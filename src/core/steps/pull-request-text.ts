import type { Attempt } from '../attempt.ts'
import { shortId } from '../../model/task-id.ts'

/** GitHub takes 256 characters of a title and 65,536 of a body. */
const maxTitleLength = 200
const maxBodyLength = 60_000
const maxPromptLength = 20_000
const maxFiles = 50

/** The title of a pull request: the first line of what was asked for. */
export function titleOf(attempt: Attempt): string {
  const first = attempt.claimed.task.prompt.trim().split('\n')[0]?.trim() ?? ''
  return attempt.parts.mask(cut(first, maxTitleLength))
}

/** By this a pull request is known as the task's own. */
export function markOf(taskId: string): string {
  return `<!-- nightshift-task: ${taskId} -->`
}

/** What was asked for, what changed, what was checked, and how to do it again. */
export function bodyOf(attempt: Attempt): string {
  const { evidence, claimed, parts } = attempt
  const { task } = claimed
  const sections = [
    '## What was asked for',
    fenced(cut(task.prompt.trim(), maxPromptLength)),
    '## What changed',
    changed(attempt),
    '## What was checked',
    checked(attempt),
    '## How it was made',
    made(attempt),
  ]
  const id = shortId(task.id)
  const end = [
    `Task ${task.id}, base ${code(evidence.baseSha ?? '')}, head ${code(evidence.headSha ?? '')}.`,
    `To do it again on the base of today: ${code(`nightshift retry ${id}`)}`,
    markOf(task.id),
  ].join('\n')
  const body = parts.mask(sections.join('\n\n'))
  return `${cut(body, maxBodyLength)}\n\n${end}\n`
}

function changed({ evidence }: Attempt): string {
  const { files, insertions, deletions } = evidence
  const shown = files.slice(0, maxFiles).map((file) => `- ${code(file)}`)
  const rest = files.length - shown.length
  const more = rest > 0 ? [`- and ${rest} more`] : []
  return [`${files.length} files, +${insertions} -${deletions}`, '', ...shown, ...more].join('\n')
}

function checked({ evidence }: Attempt): string {
  const policy =
    evidence.policy === null ? 'The policy was not looked at.' : 'The policy of the base is kept.'
  const checks = evidence.checks.map((check) => {
    const how =
      check.baselineFailed === true
        ? 'fails, as it does on the base'
        : `exit code ${check.exitCode ?? 'none'}`
    return `- ${code(check.name)}: ${code(check.command)}, ${how}`
  })
  return [policy, '', ...(checks.length === 0 ? ['The base names no checks.'] : checks)].join('\n')
}

function made({ evidence }: Attempt): string {
  const { agent } = evidence
  if (agent === null) return 'By an agent that told nothing of itself.'
  const version = agent.version === null ? '' : ` ${agent.version}`
  const cost = agent.costUsd === null ? '' : `, ${agent.costUsd.toFixed(2)} US dollars`
  return `By ${agent.name}${version}${cost}.`
}

/** As it was written: nothing in it is a mention, a link or a heading. */
function fenced(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map((match) => match[0].length))
  const fence = '`'.repeat(Math.max(3, longest + 1))
  return `${fence}text\n${text}\n${fence}`
}

function code(text: string): string {
  const plain = text.replaceAll('\n', ' ')
  const longest = Math.max(0, ...[...plain.matchAll(/`+/g)].map((match) => match[0].length))
  const tick = '`'.repeat(longest + 1)
  return longest === 0 ? `${tick}${plain}${tick}` : `${tick} ${plain} ${tick}`
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`
}
