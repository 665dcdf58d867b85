import type { Attempt } from '../attempt.ts'
import { shortId } from '../../model/task-id.ts'

/** GitHub takes 256 characters of a title and 65,536 of a body. */
const maxTitleLength = 200
const maxPromptLength = 20_000
const maxToldLength = 40_000
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
  const { task } = attempt.claimed
  const asked = attempt.parts.mask(fenced(cut(task.prompt.trim(), maxPromptLength)))
  return `## What was asked for\n\n${asked}\n\n${toldOf(attempt)}\n`
}

/**
 * The same body about the head of now: what stands before and after our part of it is left as people wrote it. `null`:
 * it is about this head already, or our part is gone.
 */
export function renewedBody(attempt: Attempt, body: string): string | null {
  const { claimed, evidence } = attempt
  const end = markOf(claimed.task.id)
  const from = body.indexOf(beginOf(claimed.task.id))
  const to = body.lastIndexOf(end)
  if (from < 0 || to < from || body.slice(from, to).includes(headLine(evidence.headSha))) return null
  return `${body.slice(0, from)}${toldOf(attempt)}${body.slice(to + end.length)}`
}

/** Where the part begins that tells of the head; no prompt can name the id of its task. */
function beginOf(taskId: string): string {
  return `<!-- nightshift-evidence: ${taskId} -->`
}

/** Everything that is different for another head, between marks. */
function toldOf(attempt: Attempt): string {
  const { evidence, claimed, parts } = attempt
  const { id } = claimed.task
  const sections = [
    beginOf(id),
    '## What changed',
    changed(attempt),
    '## What was checked',
    checked(attempt),
    '## How it was made',
    made(attempt),
  ]
  const end = [
    `Task ${id}, base ${code(evidence.baseSha ?? '')}, ${headLine(evidence.headSha)}`,
    `To do it again on the base of today: ${code(`nightshift retry ${shortId(id)}`)}`,
    markOf(id),
  ].join('\n')
  return `${cut(parts.mask(sections.join('\n\n')), maxToldLength)}\n\n${end}`
}

function headLine(sha: string | null): string {
  return `head ${code(sha ?? '')}.`
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
