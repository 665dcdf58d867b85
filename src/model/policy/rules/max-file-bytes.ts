import type { Violation } from '../../evidence.ts'
import { shown, type Rule } from '../rule.ts'
import { isThere } from '../work.ts'

/** `maxFileBytes`: how large a changed file may be at the head. */
export const maxFileBytes: Rule = async (policy, work) => {
  const limit = policy.maxFileBytes
  if (limit === null || work.changes.length === 0) return []
  const tree = await work.headTree()
  const violations: Violation[] = []
  for (const change of work.changes) {
    const bytes = isThere(change) ? (tree.get(change.path)?.bytes ?? 0) : 0
    if (bytes <= limit) continue
    const message = `${shown(change.path)} has ${bytes} bytes; a changed file may have at most ${limit}. Make it smaller, or leave it out.`
    violations.push({ rule: 'maxFileBytes', file: change.path, line: null, message })
  }
  return violations
}
