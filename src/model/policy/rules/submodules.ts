import type { Violation } from '../../evidence.ts'
import { looseMatcherOf } from '../glob.ts'
import { shown, type Rule } from '../rule.ts'
import { fileModes } from '../work.ts'

const moduleFile = looseMatcherOf(['.gitmodules'])

/** `submodules: deny`: no submodule added, moved to another commit or removed, and `.gitmodules` left alone. */
export const submodules: Rule = (policy, work) => {
  if (policy.submodules === 'allow') return []
  const violations: Violation[] = []
  for (const { path, oldMode, newMode } of work.changes) {
    const isModule = oldMode === fileModes.submodule || newMode === fileModes.submodule
    if (!isModule && !moduleFile(path)) continue
    const what = isModule ? 'is a submodule' : 'names the submodules'
    const message =
      `${shown(path)} ${what}, and submodules must not change. ` +
      'Undo this change; if a repository was cloned into this folder, remove its .git and add its files, or remove it.'
    violations.push({ rule: 'submodules', file: path, line: null, message })
  }
  return violations
}
