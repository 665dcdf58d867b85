import type { Body } from './language.ts'

/**
 * The body that opens behind what the pattern finds from `start` on, up to the first brace that closes: whole where
 * nothing is done in it, which is all that is asked. `null`: none.
 */
export function bracedBody(masked: string, opening: RegExp, start: number, end: number): Body | null {
  const found = opening.exec(masked.slice(start, end))
  if (found === null) return null
  const from = start + found.index + found[0].length
  const to = masked.indexOf('}', from)
  return to < 0 ? null : { start: from, end: to }
}

/** A return that nothing decides on, with more of the same block behind it: that is never reached. */
export const afterReturn =
  /(?<!(?:^|[\s;{}])(?:if|else|for|while|case|default)\b[^\n{}]{0,300}\n?[ \t]{0,80})\breturn[ \t]*(?:;|\n)\s*(?!\}|case\b|default\b)\S/gm
