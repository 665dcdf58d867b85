/** What one place of a glob takes: any text, any one character, or one character of a set. */
type Token =
  | { readonly kind: 'star' }
  | { readonly kind: 'one' }
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'set'
      readonly negated: boolean
      readonly ranges: readonly (readonly [number, number])[]
    }

/** One part of a glob between slashes, ready to be matched. */
export type Segment = readonly Token[]

/** Every reading of a segment: brackets are a set of characters, and also themselves (`app/[id]` is a folder). */
export function compileSegment(source: string): Segment[] {
  let readings: Token[][] = [[]]
  let at = 0
  while (at < source.length) {
    const char = source[at] ?? ''
    const set = char === '[' ? readSet(source, at) : null
    if (set !== null) {
      const literal: Token = { kind: 'text', text: source.slice(at, set.end) }
      // Past eight readings (three sets) brackets are sets only, so that the number stays small.
      readings = readings.flatMap((tokens) =>
        readings.length >= 8
          ? [[...tokens, set.token]]
          : [
              [...tokens, set.token],
              [...tokens, literal],
            ],
      )
      at = set.end
      continue
    }
    const escaped = char === '\\' && at + 1 < source.length
    const text = escaped ? (source[at + 1] ?? '') : char
    for (const tokens of readings) add(tokens, escaped ? null : char, text)
    at += escaped ? 2 : 1
  }
  return readings
}

function add(tokens: Token[], special: string | null, text: string): void {
  const last = tokens.at(-1)
  if (special === '*') {
    if (last?.kind !== 'star') tokens.push({ kind: 'star' })
  } else if (special === '?') tokens.push({ kind: 'one' })
  else if (last?.kind === 'text') tokens[tokens.length - 1] = { kind: 'text', text: last.text + text }
  else tokens.push({ kind: 'text', text })
}

function readSet(source: string, start: number): { token: Token; end: number } | null {
  let at = start + 1
  const negated = source[at] === '!' || source[at] === '^'
  if (negated) at += 1
  const ranges: [number, number][] = []
  const first = at
  while (at < source.length) {
    if (source[at] === ']' && at > first) return { token: { kind: 'set', negated, ranges }, end: at + 1 }
    const from = readPoint(source, at)
    at = from.end
    if (source[at] === '-' && source[at + 1] !== ']' && at + 1 < source.length) {
      const to = readPoint(source, at + 1)
      ranges.push([from.point, to.point])
      at = to.end
    } else ranges.push([from.point, from.point])
  }
  return null
}

function readPoint(source: string, at: number): { point: number; end: number } {
  const start = source[at] === '\\' && at + 1 < source.length ? at + 1 : at
  const point = source.codePointAt(start) ?? 0
  return { point, end: start + (point > 0xffff ? 2 : 1) }
}

/**
 * Whether a name fits. Only the last star is ever tried again, so the time is at most the product of both lengths:
 * a regular expression takes a minute for `*a*a*a*a*b` and a name of 255 letters.
 */
export function segmentMatches(segment: Segment, name: string): boolean {
  let token = 0
  let at = 0
  let starToken = -1
  let starAt = 0
  while (at < name.length || token < segment.length) {
    const current = segment[token]
    if (current?.kind === 'star') {
      starToken = token
      starAt = at
      token += 1
      continue
    }
    const taken = current === undefined ? 0 : takenBy(current, name, at)
    if (taken > 0) {
      at += taken
      token += 1
    } else if (starToken >= 0 && starAt < name.length) {
      starAt += 1
      at = starAt
      token = starToken + 1
    } else return false
  }
  return true
}

/** How many code units of the name this token takes; 0: it does not fit. */
function takenBy(token: Token, name: string, at: number): number {
  if (token.kind === 'text') return name.startsWith(token.text, at) ? token.text.length : 0
  const point = name.codePointAt(at)
  if (point === undefined || token.kind === 'star') return 0
  const width = point > 0xffff ? 2 : 1
  if (token.kind === 'one') return width
  const inside = token.ranges.some(([from, to]) => point >= from && point <= to)
  return inside === token.negated ? 0 : width
}
