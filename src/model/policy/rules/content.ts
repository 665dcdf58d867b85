import { runInNewContext } from 'node:vm'
import type { Violation } from '../../evidence.ts'
import type { ContentRule } from '../content-rule.ts'
import { frontMatterFaults } from '../front-matter.ts'
import { looseMatcherOf } from '../glob.ts'
import { shown, type Rule } from '../rule.ts'
import { isThere, type JudgedChange, type JudgedWork } from '../work.ts'

const maxBytes = 5_000_000
/** A pattern that takes longer on one file is not tried on another, so that no file can make the gate hang. */
const patternMs = 2000

/** `content`: what changed files must look like at the head. */
export const content: Rule = async (policy, work) => {
  const violations: Violation[] = []
  for (const rule of policy.content) {
    const matches = looseMatcherOf(rule.files)
    const slow = new Set<string>()
    for (const change of work.changes) {
      if (!isThere(change) || !matches(change.path)) continue
      const faults = await faultsOf(rule, change, work, slow)
      for (const { line, text } of faults) {
        const where = line === null ? shown(change.path) : `${shown(change.path)}, line ${line}`
        violations.push({ rule: 'content', file: change.path, line, message: `${where}: ${text}` })
      }
    }
  }
  return violations
}

interface Fault {
  readonly line: number | null
  readonly text: string
}

async function faultsOf(
  rule: ContentRule,
  change: JudgedChange,
  work: JudgedWork,
  slow: Set<string>,
): Promise<readonly Fault[]> {
  if (rule.onlyExisting && change.status === 'added') {
    const text = `no new file may be made here (${rule.files.join(', ')}). Put it in another folder, or into a file that exists.`
    return [{ line: null, text }]
  }
  if (rule.frontMatter === undefined && rule.required === undefined && rule.forbidden === undefined) return []
  const bytes = await work.readFile('head', change.path, maxBytes + 1)
  if (bytes === null || bytes.length > maxBytes)
    return [{ line: null, text: `it cannot be read, or has more than ${maxBytes} bytes. Make it smaller.` }]
  const text = bytes.toString('utf8').replace(/^\ufeff/, '')
  const faults: Fault[] = rule.frontMatter === undefined ? [] : frontMatterFaults(rule.frontMatter, text)
  if (rule.required !== undefined && search(rule.required, text, slow) !== 'found')
    faults.push({
      line: null,
      text: `/${rule.required}/ must be found in it, and is not. Add what it asks for.`,
    })
  if (rule.forbidden === undefined) return faults
  const found = search(rule.forbidden, text, slow, (at) =>
    faults.push({
      line: text.slice(0, at).split('\n').length,
      text: `/${rule.forbidden}/ must not be found in it. Remove or reword this.`,
    }),
  )
  if (found === 'too_slow') {
    faults.push({
      line: null,
      text: `/${rule.forbidden}/ takes too long to be looked for in it. Shorten its lines.`,
    })
  }
  return faults
}

/** Where a pattern of the repository first fits. The only way to stop a regular expression is by the machine it runs on. */
function search(
  pattern: string,
  text: string,
  slow: Set<string>,
  onFound?: (at: number) => void,
): 'found' | 'absent' | 'too_slow' {
  if (slow.has(pattern)) return 'too_slow'
  try {
    const at: unknown = runInNewContext(
      'text.search(new RegExp(pattern, "mu"))',
      { text, pattern },
      { timeout: patternMs },
    )
    if (typeof at !== 'number' || at < 0) return 'absent'
    onFound?.(at)
    return 'found'
  } catch {
    slow.add(pattern)
    return 'too_slow'
  }
}
