import type { Policy } from '../../model/policy/schema.ts'
import { effectivePolicy } from '../../model/repository-file/effective-policy.ts'
import type { Attempt } from '../attempt.ts'
import { outsideText } from '../outside-text.ts'
import type { RepositoryRules } from './repository-file.ts'

/**
 * What an agent that reads text is told: the task, the rules of the gate in short, and how to end. `resumed`: it goes on
 * with a conversation in which it was told before.
 */
export function briefOf(
  attempt: Attempt,
  rules: RepositoryRules,
  turn: { findings: string | null; resumed: boolean },
): string {
  const { findings, resumed } = turn
  const task = resumed ? [] : [standing, attempt.claimed.task.prompt.trim(), judged(attempt, rules)]
  const found =
    findings === null
      ? []
      : [
          'Your work was judged and is not taken yet. Mend what was found, in this same folder; keep the rest of your work.',
          outsideText('what the gate found, with what tools printed', findings),
        ]
  return [...task, ...found, ending].join('\n\n')
}

const standing =
  'You work unattended on the git repository in the current folder. Nobody reads along and nobody can answer: where ' +
  'something is unclear, decide for yourself and say so at the end. The task:'

const ending =
  'When all is done, end with a short message for people that says what you changed and why, or why nothing had to ' +
  'change. Do not push, and start nothing that goes on in the background: it is ended with you.'

function judged({ parts }: Attempt, rules: RepositoryRules): string {
  const policy = effectivePolicy(rules.written ? rules.file : null, parts.operatorPolicy)
  const lines = [
    'The work is taken from this folder when you end, committed or not, and is judged outside your reach.',
    ...policyLines(policy),
    ...rules.file.checks.map((check) => `These checks have to pass on a clean clone: ${check.run}`),
  ]
  return lines.map((line) => `- ${line}`).join('\n')
}

function policyLines(policy: Policy): string[] {
  const limits = [
    ...policy.allow.map((globs) => `Nothing may change but ${globs.join(', ')}.`),
    policy.deny.length === 0 ? null : `These must not change: ${policy.deny.join(', ')}.`,
    policy.maxFiles === null ? null : `At most ${policy.maxFiles} files may change.`,
    policy.maxLines === null ? null : `At most ${policy.maxLines} lines may be added and removed.`,
    policy.tests === 'keep' ? 'No test may be deleted, skipped or weakened.' : null,
    policy.binary === 'deny' ? 'No binary file may be added or changed.' : null,
    policy.secrets === 'deny' ? 'No password, key or token may be added.' : null,
    'What defines the checks must not change: .nightshift.yaml, CI files, and settings of tests and linters.',
  ]
  return limits.filter((line) => line !== null)
}
