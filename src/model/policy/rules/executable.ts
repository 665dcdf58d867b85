import type { Violation } from '../../evidence.ts'
import { shown, type Rule } from '../rule.ts'
import { fileModes } from '../work.ts'

/** `executable: deny`: no file becomes executable. Those that were may change. */
export const executable: Rule = (policy, work) => {
  if (policy.executable === 'allow') return []
  const violations: Violation[] = []
  for (const { path, oldMode, newMode } of work.changes) {
    if (newMode !== fileModes.executable || oldMode === fileModes.executable) continue
    const message = `${shown(path)} became executable, which the policy denies. Take the right away again: chmod a-x.`
    violations.push({ rule: 'executable', file: path, line: null, message })
  }
  return violations
}
