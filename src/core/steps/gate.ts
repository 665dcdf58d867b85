import type { CheckResult } from '../../model/evidence.ts'
import type { Work } from '../../ports/publisher.ts'
import type { CloneSource } from '../../ports/runtime.ts'
import type { Attempt } from '../attempt.ts'
import { sentence } from '../sentences.ts'
import { Stop, type Reason } from '../reasons.ts'
import { runChecks } from './checks.ts'
import { judgePolicy } from './policy.ts'
import type { RepositoryRules } from './repository-file.ts'

/** What keeps the work from being pushed, as a reason and in words for the agent. */
export interface Findings {
  readonly reason: Reason
  readonly words: string
}

/** Policy, then checks. `null`: nothing is in the way. What {@link throwFault} throws comes last. */
export async function gate(
  attempt: Attempt,
  source: CloneSource,
  rules: RepositoryRules,
  work: Work,
): Promise<Findings | null> {
  const violations = await judgePolicy(attempt, rules, work)
  if (violations.length > 0) {
    const said = violations.map(({ message }) => `- ${message}`)
    const words = `The work breaks rules of this repository. Mend this:\n${cut(said)}`
    return { reason: { kind: 'policy_broken', violations }, words }
  }
  const failed = await runChecks(attempt, source, rules, work)
  if (failed.length === 0) {
    throwFault(attempt)
    return null
  }
  const reason: Reason = { kind: 'checks_failed', failed }
  return { reason, words: `${sentence(reason)} Mend this:\n${cut(failed.map(checkWords))}` }
}

/** Where only the agent's own bad end is in the way. */
export function throwFault({ evidence }: Attempt): void {
  const fault = evidence.agent?.fault
  if (fault !== undefined) throw new Stop({ kind: 'agent_failed', fault })
}

/** An agent's command line or environment holds 128 KiB, and the prompt needs its part of it. */
const maxWordsBytes = 24_000

function cut(parts: readonly string[]): string {
  let left = maxWordsBytes
  const fitting = parts.filter((part) => (left -= Buffer.byteLength(part) + 1) >= 0)
  const rest = parts.length - fitting.length
  const [first = ''] = parts
  const kept =
    fitting.length === 0 ? [`${Buffer.from(first).subarray(0, maxWordsBytes).toString('utf8')}…`] : fitting
  return rest > 0 && parts.length > 1 ? `${kept.join('\n')}\n(${rest} more)` : kept.join('\n')
}

/** What a check found, for the agent: what is new where the base fails too, otherwise the end of what it printed. */
function checkWords({ name, command, newFailures, outputTail = '' }: CheckResult): string {
  const what =
    newFailures === undefined ? outputTail : `New on this branch:\n${newFailures.join('\n')}\n${outputTail}`
  return `- ${name}: ${command}\n${what}`
}
