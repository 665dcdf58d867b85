import type { Violation } from '../../evidence.ts'
import { looseMatcherOf } from '../glob.ts'
import { linkAliases } from '../link-aliases.ts'
import { shown, type Rule } from '../rule.ts'

/** `deny`: these must not change, nor anything that looks like them. */
export const deny: Rule = async (policy, work) => {
  if (policy.deny.length === 0 || work.changes.length === 0) return []
  const aliasesOf = await linkAliases(work)
  const globs = policy.deny.map((glob) => ({ glob, matches: looseMatcherOf([glob]) }))
  const violations: Violation[] = []
  for (const change of work.changes) {
    const { path } = change
    const names = [path, ...aliasesOf(change)]
    const hit = globs.find((one) => names.some(one.matches))
    if (hit === undefined) continue
    const name = names.find(hit.matches) ?? path
    const message = `${shown(path)}${name === path ? '' : `, by a link also ${shown(name)},`} must not change: the policy denies ${hit.glob}. Undo this change.`
    violations.push({ rule: 'deny', file: path, line: null, message })
  }
  return violations
}
