import type { Violation } from '../../evidence.ts'
import type { ContentRule } from '../content-rule.ts'
import { frontMatterFaults } from '../front-matter.ts'
import { flatMapInChunks } from '../in-chunks.ts'
import { looseMatcherOf } from '../glob.ts'
import { openPatternSearch, type Found } from '../pattern-search.ts'
import { shown, type Rule } from '../rule.ts'
import { isThere, type JudgedChange, type JudgedWork } from '../work.ts'

const maxBytes = 2_000_000

/** `content`: what changed files must look like at the head. */
export const content: Rule = async (policy, work) => {
  const violations: Violation[] = []
  const search = openPatternSearch()
  for (const rule of policy.content) {
    const matches = looseMatcherOf(rule.files)
    const meant = work.changes.filter((change) => isThere(change) && matches(change.path))
    const found = await flatMapInChunks(meant, async (change): Promise<readonly Violation[]> =>
      (await faultsOf(rule, change, work, search)).map(({ line, text }) => {
        const where = line === null ? shown(change.path) : `${shown(change.path)}, line ${line}`
        return { rule: 'content', file: change.path, line, message: `${where}: ${text}` }
      }),
    )
    violations.push(...found)
  }
  return violations
}

interface Fault {
  readonly line: number | null
  readonly text: string
}

type Search = (pattern: string, text: string) => Promise<Found>

async function faultsOf(
  rule: ContentRule,
  change: JudgedChange,
  work: JudgedWork,
  search: Search,
): Promise<readonly Fault[]> {
  const { frontMatter, required, forbidden } = rule
  if (rule.onlyExisting && change.status === 'added') {
    const text = `no new file may be made here (${rule.files.join(', ')}). Put it in another folder, or into a file that exists.`
    return [{ line: null, text }]
  }
  if (frontMatter === undefined && required === undefined && forbidden === undefined) return []
  const bytes = await work.readFile('head', change.path, maxBytes + 1)
  if (bytes === null || bytes.length > maxBytes)
    return [{ line: null, text: `it cannot be read, or has more than ${maxBytes} bytes. Make it smaller.` }]
  const text = bytes.toString('utf8').replace(/^\ufeff/, '')
  return [
    ...(frontMatter === undefined ? [] : frontMatterFaults(frontMatter, text)),
    ...(required === undefined ? [] : requiredFaults(required, await search(required, text))),
    ...(forbidden === undefined ? [] : forbiddenFaults(forbidden, await search(forbidden, text), text)),
  ]
}

function requiredFaults(pattern: string, found: Found): Fault[] {
  if (found === 'too_slow') return [tooSlow(pattern)]
  if (found !== 'absent') return []
  return [{ line: null, text: `/${pattern}/ must be found in it, and is not. Add what it asks for.` }]
}

function forbiddenFaults(pattern: string, found: Found, text: string): Fault[] {
  if (found === 'too_slow') return [tooSlow(pattern)]
  if (found === 'absent') return []
  const line = text.slice(0, found).split('\n').length
  return [{ line, text: `/${pattern}/ must not be found in it. Remove or reword this.` }]
}

function tooSlow(pattern: string): Fault {
  return { line: null, text: `/${pattern}/ takes too long to be looked for in it. Shorten its lines.` }
}
