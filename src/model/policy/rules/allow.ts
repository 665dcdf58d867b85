import type { Violation } from '../../evidence.ts'
import { matcherOf } from '../glob.ts'
import { shown, type Rule } from '../rule.ts'

/** `allow`: nothing else may change, letter by letter: what only looks like an allowed path is none. */
export const allow: Rule = (policy, work) => {
  const lists = policy.allow.map((globs) => ({ globs, matches: matcherOf(globs) }))
  const violations: Violation[] = []
  for (const { path, status } of work.changes) {
    const closed = lists.find((list) => !list.matches(path))
    if (closed === undefined) continue
    const message = `${shown(path)} was ${verb(status)}, but only ${listed(closed.globs)} may change. Undo this change.`
    violations.push({ rule: 'allow', file: path, line: null, message })
  }
  return violations
}

function listed(globs: readonly string[]): string {
  if (globs.length === 0) return 'nothing at all'
  return globs.length > 10
    ? `${globs.slice(0, 10).join(', ')} and ${globs.length - 10} more`
    : globs.join(', ')
}

function verb(status: string): string {
  return status === 'type_changed' ? 'made another kind of file' : status
}
