/** An answer of an agent that was asked for JSON, or what is wrong with it, as a clause. */
export type ReadAnswer<T> = { ok: true; answer: T } | { ok: false; fault: string }

/** Every JSON object with this key that begins at the beginning of a line of what was printed, the last first. */
export function objectsIn(text: string, key: string): unknown[] {
  const found: unknown[] = []
  const starts = [...text.matchAll(/^[ \t]*\{/gm)].map((match) => match.index).toReversed()
  for (const start of starts.slice(0, 50)) {
    const value = objectAt(text, start)
    if (typeof value === 'object' && value !== null && key in value) found.push(value)
  }
  return found
}

/** The JSON value that begins here: up to the end of the text, or to a closing brace at the end of a line. */
function objectAt(text: string, start: number): unknown {
  const ends = [...text.slice(start).matchAll(/\}[ \t]*$/gm)].map((match) => start + match.index + 1)
  for (const end of ends.slice(0, 200)) {
    try {
      return JSON.parse(text.slice(start, end)) as unknown
    } catch {
      // A brace further down may be the one.
    }
  }
  return null
}
