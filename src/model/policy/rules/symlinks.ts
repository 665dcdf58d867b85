import type { Violation } from '../../evidence.ts'
import { foldedNames } from '../look-alike.ts'
import { shown, type Rule } from '../rule.ts'
import { fileModes, isThere, type JudgedWork } from '../work.ts'

/** Linux gives up after this many links on one way. */
const maxLinks = 40
const maxTargetBytes = 4096

/** `symlinks`: `deny`: none added or changed; `inside`: those that stay in the tree, however many links they take. */
export const symlinks: Rule = async (policy, work) => {
  if (policy.symlinks === 'allow') return []
  const violations: Violation[] = []
  for (const change of work.changes) {
    if (!isThere(change) || change.newMode !== fileModes.symlink) continue
    const fault =
      policy.symlinks === 'deny'
        ? 'is a symlink, which the policy denies'
        : await linkFault(work, change.path)
    if (fault === null) continue
    const message = `${shown(change.path)} ${fault}. Use a plain file, or a relative link to a path of the repository.`
    violations.push({ rule: 'symlinks', file: change.path, line: null, message })
  }
  return violations
}

async function linkFault(work: JudgedWork, path: string): Promise<string | null> {
  const tree = await work.headTree()
  const place = path.split('/').slice(0, -1)
  const first = await readTarget(work, path)
  if (first === null) return 'is a symlink whose target cannot be read'
  const waiting = stepsOf(first)
  if (waiting === null) return `is a symlink to ${shown(first)}, outside of the repository`
  let links = 1
  while (waiting.length > 0) {
    const step = waiting.shift() ?? ''
    if (step === '' || step === '.') continue
    if (step === '..') {
      if (place.pop() === undefined) return `is a symlink to ${shown(first)}, outside of the repository`
      continue
    }
    if (foldedNames(step).some((name) => /^(?:\.git|git~\d+)[. ]*(?::.*)?$/s.test(name)))
      return `is a symlink to ${shown(first)}, in git's own folder`
    place.push(step)
    if (tree.get(place.join('/'))?.mode !== fileModes.symlink) continue
    if (++links > maxLinks) return 'is a symlink that leads in a circle'
    const target = await readTarget(work, place.join('/'))
    const steps = target === null ? null : stepsOf(target)
    if (steps === null)
      return `is a symlink to ${shown(first)}, and by ${shown(place.join('/'))} outside of the repository`
    place.pop()
    waiting.unshift(...steps)
  }
  return null
}

async function readTarget(work: JudgedWork, path: string): Promise<string | null> {
  const bytes = await work.readFile('head', path, maxTargetBytes + 1)
  if (bytes === null || bytes.length === 0 || bytes.length > maxTargetBytes || bytes.includes(0)) return null
  return bytes.toString('utf8')
}

/** The names on the way; `null`: it begins at a root, also one of Windows. */
function stepsOf(target: string): string[] | null {
  if (/^[/\\]|^[a-z]:/i.test(target)) return null
  // A backslash separates on Windows, where it would lead out.
  const steps = target.split('/')
  return steps.some((step) => step.split('\\').includes('..') && step !== '..') ? null : steps
}
