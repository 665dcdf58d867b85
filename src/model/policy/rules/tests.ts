import type { Violation } from '../../evidence.ts'
import { shown, type Rule } from '../rule.ts'
import { flatMapInChunks } from '../in-chunks.ts'
import { compareTests, type ComparedFile, type Weaker } from '../tests-kept/compare.ts'
import type { Language } from '../tests-kept/language.ts'
import { languages } from '../tests-kept/languages.ts'
import { emptySummary, summarize, type Summary } from '../tests-kept/summary.ts'
import { isPlainFile, type JudgedChange, type JudgedWork } from '../work.ts'

const maxBytes = 1_000_000
const keepHint = 'If this is really wanted, a person has to set policy.tests to free.'

/** `tests: keep`: no test deleted, skipped, focused, emptied or stripped of assertions. Moving and renaming is fine. */
export const tests: Rule = async (policy, work) => {
  if (policy.tests === 'free') return []
  const violations: Violation[] = []
  for (const language of languages) {
    const meant = work.changes.filter((change) => language.isTestFile(change.path))
    const files = await flatMapInChunks(meant, async (change): Promise<readonly ComparedFile[]> => {
      const [base, head] = await Promise.all([
        readSummary(work, language, 'base', change),
        readSummary(work, language, 'head', change),
      ])
      // What was too large to be judged before cannot have become so.
      if (base === null) return []
      if (head !== null)
        return [{ path: change.path, foundByName: language.isFoundByName(change.path), base, head }]
      violations.push(tooLarge(change.path))
      return []
    })
    violations.push(...compareTests(files).map(violationOf))
  }
  return violations
}

/** `null`: larger than can be judged. What is no plain file (any more) has no tests. */
async function readSummary(
  work: JudgedWork,
  language: Language,
  at: 'base' | 'head',
  change: JudgedChange,
): Promise<Summary | null> {
  if (at === 'base' ? !change.oldMode.startsWith('100') : !isPlainFile(change)) return emptySummary
  const bytes = await work.readFile(at, change.path, maxBytes + 1)
  if (bytes === null) return emptySummary
  return bytes.length > maxBytes ? null : summarize(language, change.path, bytes.toString('utf8'))
}

function tooLarge(path: string): Violation {
  const message = `${shown(path)} has more than ${maxBytes} bytes, too many to see whether its tests were kept. Make it smaller, or leave it as it was.`
  return { rule: 'tests', file: path, line: null, message }
}

function violationOf(weaker: Weaker): Violation {
  const { path } = weaker
  switch (weaker.kind) {
    case 'lost': {
      const { title, line } = weaker.test
      const message = `The test ${quoted(title)} (line ${line} of ${shown(path)} at the base) is gone. Put it back. ${keepHint}`
      return { rule: 'tests', file: path, line: null, message }
    }
    case 'stripped': {
      const { title, line, assertions } = weaker.test
      const message =
        `${shown(path)}, line ${line}: the test ${quoted(title)} had ${weaker.before} assertions that can fail, and now has ${assertions}. ` +
        `Put them back; one for many cases counts once. ${keepHint}`
      return { rule: 'tests', file: path, line, message }
    }
    case 'emptied': {
      const { title, line } = weaker.test
      const message = `${shown(path)}, line ${line}: the test ${quoted(title)} does nothing any more. Put back what it did. ${keepHint}`
      return { rule: 'tests', file: path, line, message }
    }
    case 'helpers_stripped': {
      const message =
        `${shown(path)} had ${weaker.before} assertions outside of its tests, and now has ${weaker.after}. ` +
        `Put them back. ${keepHint}`
      return { rule: 'tests', file: path, line: null, message }
    }
    case 'weak_line': {
      const { what, line, text } = weaker.line
      const message = `${shown(path)}, line ${line} ${what}: ${quoted(text)}. Remove this, and mend the code until the test passes. ${keepHint}`
      return { rule: 'tests', file: path, line, message }
    }
    default:
      return weaker satisfies never
  }
}

function quoted(text: string): string {
  const short = text.length > 120 ? `${text.slice(0, 120)}…` : text
  const safe = shown(short)
  return safe.startsWith('"') ? safe : `"${safe}"`
}
