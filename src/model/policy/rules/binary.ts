import type { Violation } from '../../evidence.ts'
import { shown, type Rule } from '../rule.ts'
import { isPlainFile } from '../work.ts'

/** `binary: deny`: no added or changed file that git takes for binary. Removing one is no harm. */
export const binary: Rule = (policy, work) => {
  if (policy.binary === 'allow') return []
  const violations: Violation[] = []
  for (const change of work.changes) {
    if (!isPlainFile(change) || change.insertions !== null) continue
    const message = `${shown(change.path)} is a binary file, which the policy denies. Leave it out, or put its content down as text.`
    violations.push({ rule: 'binary', file: change.path, line: null, message })
  }
  return violations
}
