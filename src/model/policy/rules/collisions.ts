import type { Violation } from '../../evidence.ts'
import { foldText } from '../look-alike.ts'
import { shown, type Rule } from '../rule.ts'

/** Always on: a new file whose name differs from another one's only in case, or only looks the same. */
export const collisions: Rule = async (_policy, work) => {
  const added = work.changes.filter((change) => change.status === 'added')
  if (added.length === 0) return []
  const wanted = new Set(added.map((change) => foldText(change.path)))
  const paths = new Map<string, string[]>()
  for (const path of (await work.headTree()).keys()) {
    const folded = foldText(path)
    if (!wanted.has(folded)) continue
    const same = paths.get(folded)
    if (same === undefined) paths.set(folded, [path])
    else same.push(path)
  }
  const violations: Violation[] = []
  for (const { path } of added) {
    const other = paths.get(foldText(path))?.find((one) => one !== path)
    if (other === undefined) continue
    const message =
      `The new file ${shown(path)} differs from ${shown(other)} only in case or in letters that look the same. ` +
      `Change ${shown(other)} itself, or choose a name that people can tell apart.`
    violations.push({ rule: 'paths', file: path, line: null, message })
  }
  return violations
}
