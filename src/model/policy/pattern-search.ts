import { createContext, Script } from 'node:vm'

/** A pattern that takes longer on one file is not tried on another, so that no file can make the gate hang. */
const maxMs = 2000

/** Where a pattern first fits (in UTF-16 units from 0), that it fits nowhere, or that it took too long. */
export type Found = number | 'absent' | 'too_slow'

/**
 * Searches texts of an agent for regular expressions of a repository (flags `m` and `u`). The only way to stop a
 * regular expression is from outside of the machine it runs on, so it runs in a context with a time limit.
 */
export function openPatternSearch(): (pattern: string, text: string) => Found {
  const searched = { text: '', pattern: '' }
  let context: object | null = null
  const script = new Script('text.search(new RegExp(pattern, "mu"))')
  const slow = new Set<string>()
  return (pattern, text) => {
    if (slow.has(pattern)) return 'too_slow'
    context ??= createContext(searched)
    Object.assign(searched, { text, pattern })
    try {
      const at: unknown = script.runInContext(context, { timeout: maxMs })
      return typeof at === 'number' && at >= 0 ? at : 'absent'
    } catch {
      slow.add(pattern)
      return 'too_slow'
    }
  }
}
