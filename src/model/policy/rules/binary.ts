import type { Violation } from '../../evidence.ts'
import { flatMapInChunks } from '../in-chunks.ts'
import { shown, type Rule } from '../rule.ts'
import { isPlainFile, type JudgedChange, type JudgedWork } from '../work.ts'

/** Of many files at once; the rest of larger ones is read one by one. */
const firstBytes = 256 * 1024
const maxBytes = 64 * 1024 * 1024
/** Characters that no text holds, in any encoding that has ASCII in it: all control characters but white space and escape. */
// oxlint-disable-next-line no-control-regex -- it looks for them
const control = /[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/

/**
 * `binary: deny`: no added or changed file that git takes for binary, or that holds what no text does: git looks at the
 * first 8,000 bytes, and for NUL alone. So UTF-16 is binary, too. Removing such a file is no harm.
 */
export const binary: Rule = async (policy, work) => {
  if (policy.binary === 'allow') return []
  const changed = work.changes.filter(isPlainFile)
  const open = changed.filter(({ insertions }) => insertions !== null)
  const seen = await flatMapInChunks(open, async (change) => [await look(work, change)])
  const hidden = new Set<JudgedChange>()
  for (const [at, change] of open.entries()) if (await isBinary(work, change, seen[at])) hidden.add(change)
  const violations: Violation[] = []
  for (const change of changed) {
    if (change.insertions !== null && !hidden.has(change)) continue
    const message = `${shown(change.path)} is a binary file (text in UTF-16 counts as one), which the policy denies. Leave it out, or put its content down as plain text.`
    violations.push({ rule: 'binary', file: change.path, line: null, message })
  }
  return violations
}

type Seen = 'text' | 'binary' | 'long'

async function look(work: JudgedWork, { path }: JudgedChange): Promise<Seen> {
  const bytes = await work.readFile('head', path, firstBytes + 1)
  if (bytes === null) return 'text'
  if (control.test(bytes.toString('latin1'))) return 'binary'
  return bytes.length > firstBytes ? 'long' : 'text'
}

async function isBinary(work: JudgedWork, change: JudgedChange, seen: Seen | undefined): Promise<boolean> {
  const { path } = change
  if (seen === 'text') return false
  const found = seen === 'binary' || (await holdsControl(work, 'head', path))
  // Text with a stray one in it may be edited.
  return found && (change.status === 'added' || !(await holdsControl(work, 'base', path)))
}

async function holdsControl(work: JudgedWork, at: 'base' | 'head', path: string): Promise<boolean> {
  const bytes = await work.readFile(at, path, maxBytes + 1)
  return bytes !== null && (bytes.length > maxBytes || control.test(bytes.toString('latin1')))
}
