import type { Body, Surroundings } from './language.ts'

interface Block {
  readonly indent: number
  readonly header: string
}

/**
 * Whether pytest or unittest would find each function where it stands: at the top, or in a class that is called Test…
 * or has a base class. One within a function or under a condition may never be made, and a fixture is no test.
 */
export function pythonScopes(masked: string, starts: readonly number[]): readonly Surroundings[] {
  const found: Surroundings[] = []
  const open: Block[] = []
  let at = 0
  let next = 0
  for (const line of masked.split('\n')) {
    const end = at + line.length
    const text = line.trim()
    const indent = widthOf(line)
    if (text !== '') {
      while ((open.at(-1)?.indent ?? -1) >= indent) open.pop()
      // A beginning may lie on the line of its first decorator, or of `def` itself.
      while (next < starts.length && (starts[next] ?? 0) <= end) {
        found.push(surroundingsOf(open, masked.slice(starts[next] ?? 0, (starts[next] ?? 0) + 2000)))
        next += 1
      }
      if (/^(?:class|def|async|if|elif|else|for|while|try|except|finally|with|match|case)\b/.test(text))
        open.push({ indent, header: text })
    }
    at = end + 1
  }
  while (found.length < starts.length) found.push({ runs: true, scope: '' })
  return found
}

function surroundingsOf(open: readonly Block[], code: string): Surroundings {
  const classes = open.map(({ header }) => /^class\s+(\w+)\s*(\(\s*(?!object\s*\))\w)?/.exec(header))
  const decorators = code.slice(0, code.search(/\bdef\b/))
  const runs =
    !/@[^\n]*\b(?:fixture|property|staticmethod)\b/.test(decorators) &&
    classes.every(
      (found) => found !== null && (found[1]?.startsWith('Test') === true || found[2] !== undefined),
    )
  return { runs, scope: classes.map((found) => found?.[1] ?? '').join('.') }
}

/** What is indented more than the `def` that it belongs to. */
export function pythonBody(masked: string, start: number, end: number): Body | null {
  const header = /(^|\n)([ \t]*)(?:async[ \t]+)?def\b[^\n]*\([^()]{0,500}\)[^:\n]{0,200}:/.exec(
    masked.slice(start, end),
  )
  if (header === null) return null
  const from = start + header.index + header[0].length
  const indent = widthOf(header[2] ?? '')
  let to = from
  for (const line of masked.slice(from, end).split('\n')) {
    if (to > from && line.trim() !== '' && widthOf(line) <= indent) break
    to += line.length + 1
  }
  return { start: from, end: Math.min(to, end) }
}

function widthOf(line: string): number {
  let width = 0
  for (const char of line) {
    if (char === ' ') width += 1
    else if (char === '\t') width = (Math.floor(width / 8) + 1) * 8
    else break
  }
  return width
}
