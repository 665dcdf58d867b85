import type { Work } from '../../ports/publisher.ts'
import type { CloneSource } from '../../ports/runtime.ts'
import type { Attempt } from '../attempt.ts'
import { sentence, type Reason } from '../reasons.ts'
import { runChecks } from './checks.ts'
import { judgePolicy } from './policy.ts'
import type { RepositoryRules } from './repository-file.ts'

/** What keeps the work from being pushed, as a reason and in words for the agent. */
export interface Findings {
  readonly reason: Reason
  readonly words: string
}

/** Policy, then checks. `null`: nothing is in the way. */
export async function gate(
  attempt: Attempt,
  source: CloneSource,
  rules: RepositoryRules,
  work: Work,
): Promise<Findings | null> {
  const violations = await judgePolicy(attempt, rules, work)
  if (violations.length > 0) {
    const reason: Reason = { kind: 'policy_broken', violations }
    const lines = violations.map(({ file, line, message }) => `- ${placeOf(file, line)}${message}`)
    return { reason, words: `The work breaks rules of this repository. Mend this:\n${lines.join('\n')}` }
  }
  const failed = await runChecks(attempt, source, rules, work)
  if (failed.length === 0) return null
  const reason: Reason = { kind: 'checks_failed', failed }
  const parts = failed.map((check) => `- ${check.name}: ${check.command}\n${check.outputTail ?? ''}`)
  return { reason, words: `${sentence(reason)} Mend this:\n${parts.join('\n')}` }
}

function placeOf(file: string | null, line: number | null): string {
  if (file === null) return ''
  return line === null ? `${file}: ` : `${file}:${line}: `
}
