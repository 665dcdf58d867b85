import { createContext, Script } from 'node:vm'

/** A pattern that takes longer on one file is not tried on another, so that no file can make the gate hang. */
const maxMs = 2000

/** Where a pattern first fits (in UTF-16 units from 0), that it fits nowhere, or that it took too long. */
export type Found = number | 'absent' | 'too_slow'

interface Waiting {
  readonly text: string
  readonly answer: (found: Found) => void
}

/**
 * Searches texts of an agent for regular expressions of a repository (flags `m` and `u`). The only way to stop a
 * regular expression is from outside of the machine it runs on, so it runs in a context with a time limit. That costs
 * a thread each time: what is asked for at the same time is searched together.
 */
export function openPatternSearch(): (pattern: string, text: string) => Promise<Found> {
  const waiting = new Map<string, Waiting[]>()
  const slow = new Set<string>()
  const search = openLimitedSearch()

  function searchAll(pattern: string): void {
    const asked = waiting.get(pattern) ?? []
    waiting.delete(pattern)
    const texts = asked.map(({ text }) => text)
    const together = slow.has(pattern) ? null : search(pattern, texts)
    for (const [index, { text, answer }] of asked.entries()) {
      const [at] =
        together === null ? ((slow.has(pattern) ? null : search(pattern, [text])) ?? []) : [together[index]]
      if (at === undefined) slow.add(pattern)
      answer(at === undefined ? 'too_slow' : at < 0 ? 'absent' : at)
    }
  }

  return (pattern, text) =>
    new Promise((answer) => {
      const asked = waiting.get(pattern)
      if (asked !== undefined) asked.push({ text, answer })
      else {
        waiting.set(pattern, [{ text, answer }])
        setImmediate(searchAll, pattern)
      }
    })
}

/** Where the pattern fits in each text, -1 for nowhere; `null`: it took too long. */
function openLimitedSearch(): (pattern: string, texts: readonly string[]) => number[] | null {
  const searched = { texts: [] as readonly string[], pattern: '' }
  const script = new Script('texts.map((text) => text.search(new RegExp(pattern, "mu")))')
  let context: object | null = null
  return (pattern, texts) => {
    context ??= createContext(searched)
    Object.assign(searched, { texts, pattern })
    try {
      const found: unknown = script.runInContext(context, { timeout: maxMs })
      return Array.isArray(found) ? found.map(Number) : null
    } catch {
      return null
    }
  }
}
