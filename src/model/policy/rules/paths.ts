import type { Violation } from '../../evidence.ts'
import { foldedNames } from '../look-alike.ts'
import { shown, type Rule } from '../rule.ts'
import { isThere } from '../work.ts'

const maxPathBytes = 4096
const maxNameBytes = 255

/** Always on: names that mean another place on some system, or that no system can hold. */
export const paths: Rule = (_policy, work) => {
  const violations: Violation[] = []
  for (const change of work.changes) {
    const why = isThere(change) ? pathFault(change.path) : null
    if (why === null) continue
    const message = `${shown(change.path)} ${why}. Rename it, or remove it.`
    violations.push({ rule: 'paths', file: change.path, line: null, message })
  }
  return violations
}

function pathFault(path: string): string | null {
  if (path === '' || path.startsWith('/')) return 'is no path inside the repository'
  if (path.includes('\ufffd')) return 'has a name that is not valid UTF-8, so no rule could be applied to it'
  if (Buffer.byteLength(path) > maxPathBytes) return `is longer than ${maxPathBytes} bytes`
  if (path.split('/').some((name) => Buffer.byteLength(name) > maxNameBytes))
    return `has a name longer than ${maxNameBytes} bytes, which file systems cannot hold`
  for (const name of foldedNames(path)) {
    // What stands behind a colon is another stream of the same file to NTFS.
    const plain = name.replace(/:.*$/s, '')
    if (name === '' || /^[. ]+$/.test(plain)) return 'leads to another folder on some systems'
    if (/^(?:\.git|git~\d+)[. ]*$/.test(plain)) return "is a name of git's own folder on some systems"
  }
  return null
}
