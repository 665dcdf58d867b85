/** An answer of an agent that was asked for JSON, or what is wrong with it, as a clause. */
export type ReadAnswer<T> = { ok: true; answer: T } | { ok: false; fault: string }

/** Beginnings that lead to nothing. */
const maxFailures = 200

/**
 * Every JSON object with this key that was printed, the last first: at the beginning of a line, or in the midst of one
 * where the key comes first. What stands around it is not looked at.
 */
export function objectsIn(text: string, key: string): unknown[] {
  const found: unknown[] = []
  const begins = new RegExp(String.raw`^[ \t]*\{|\{\s*"${key}"`, 'gm')
  let failures = 0
  for (let match = begins.exec(text); match !== null && failures < maxFailures; match = begins.exec(text)) {
    const start = match.index + match[0].indexOf('{')
    const end = endOf(text, start)
    const value = end === null ? null : parsed(text.slice(start, end))
    // What stands in an object that was read is a part of it.
    if (end !== null && value !== null) begins.lastIndex = end
    else failures += 1
    if (typeof value === 'object' && value !== null && key in value) found.unshift(value)
  }
  return found
}

/** Where the object ends that begins at this brace; `null`: nowhere. */
function endOf(text: string, start: number): number | null {
  const marks = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}]/gs
  marks.lastIndex = start
  let depth = 0
  for (let match = marks.exec(text); match !== null; match = marks.exec(text)) {
    if (match[0] === '{') depth += 1
    if (match[0] === '}') depth -= 1
    if (depth === 0) return marks.lastIndex
  }
  return null
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}
