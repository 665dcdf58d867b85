import type { Violation } from '../../evidence.ts'
import { looseMatcherOf } from '../glob.ts'
import { shown, type Rule } from '../rule.ts'

/** `deny`: these must not change, nor anything that looks like them. */
export const deny: Rule = (policy, work) => {
  const globs = policy.deny.map((glob) => ({ glob, matches: looseMatcherOf([glob]) }))
  const violations: Violation[] = []
  for (const { path } of work.changes) {
    const hit = globs.find((one) => one.matches(path))
    if (hit === undefined) continue
    const message = `${shown(path)} must not change: the policy denies ${hit.glob}. Undo this change.`
    violations.push({ rule: 'deny', file: path, line: null, message })
  }
  return violations
}
