import { codeOf, findAssertions } from './assertions.ts'
import type { Language, Surroundings, Weakening } from './language.ts'
import { mask } from './mask.ts'
import { ownerOf } from './ownership.ts'

/** One test, or (with an empty title) what stands before the first one. */
export interface TestBlock {
  readonly title: string
  /** Counted from 1. */
  readonly line: number
  readonly assertions: number
  /** The lines on which they stand, as many as there are. */
  readonly assertionLines: readonly string[]
  /** It has a body, and nothing in it. */
  readonly empty: boolean
}

/** A line that keeps tests from running. */
export interface WeakLine {
  readonly what: Weakening['what']
  readonly line: number
  readonly text: string
  /** It does not count in a test that there was not before. */
  readonly inOldTests: boolean
  /** Title of the test in which it stands, or to which it is an attribute; empty: of none. */
  readonly title: string
}

/** What one version of a test file holds. */
export interface Summary {
  readonly tests: readonly TestBlock[]
  /** Assertions outside of any test; 0 where that is not test code. */
  readonly looseAssertions: number
  readonly weakLines: readonly WeakLine[]
}

export const emptySummary: Summary = { tests: [], looseAssertions: 0, weakLines: [] }

/** Reads one version of a file. Never throws, whatever the text is. */
export function summarize(language: Language, path: string, source: string): Summary {
  const code = language.normalize(source)
  const masked = mask(code, language.strings)
  const prepared = codeOf(code, masked)
  const assertions = findAssertions(language.assertion, prepared)
  const starts = [...masked.matchAll(language.test)].map((found) => found.index)
  const around = language.surroundings?.(masked, starts)
  const lineAt = lineCounter(code)
  const placed = starts.map((start, index) => ({
    start,
    body: language.body(masked, start, starts[index + 1] ?? code.length),
  }))
  const isWhole = (start: number) => language.whole?.test(masked.slice(start, start + 20)) === true
  const blocks = starts.map((start, index): TestBlock => {
    const end = starts[index + 1] ?? code.length
    const wholeEnd = isWhole(start) ? (starts.slice(index + 1).find(isWhole) ?? code.length) : end
    const inside = assertions.slice(countBefore(assertions, start), countBefore(assertions, wholeEnd))
    const title = titleOf(language, code, start, end)
    const scope = around?.[index]?.scope ?? ''
    const { body } = placed[index] ?? { body: null }
    return {
      title: scope === '' ? title : `${scope}.${title}`,
      line: lineAt(start),
      assertions: inside.length,
      assertionLines: inside.map((at) => lineText(code, at)),
      empty: body !== null && language.nothing.test(masked.slice(body.start, body.end)),
    }
  })
  const tests = around === undefined ? blocks : thatRun(blocks, around)
  const first = starts[0] ?? code.length
  const onlyTests = language.isTestCodeOnly(path)
  const begin = language.testCode?.exec(masked)?.index ?? first
  const weakLines = language.weakenings.flatMap(({ what, pattern, inComments, inOldTests }) =>
    [...(inComments === true ? code : masked).matchAll(pattern instanceof RegExp ? pattern : pattern(masked))]
      .filter((found) => onlyTests || found.index + found[0].length > Math.min(first, begin))
      .map((found): WeakLine => {
        const at = found.index + (/^\s*/.exec(found[0])?.[0].length ?? 0)
        const owner = ownerOf(masked, prepared.closing, placed, at)
        return {
          what,
          line: lineAt(at),
          text: lineText(code, at),
          inOldTests: inOldTests === true,
          title: owner === null ? '' : (blocks[owner]?.title ?? ''),
        }
      }),
  )
  const looseAssertions = onlyTests ? countBefore(assertions, first) : 0
  return { tests, looseAssertions, weakLines }
}

/** Of those that share a name, only the last is there once the file was read. */
function thatRun(blocks: readonly TestBlock[], around: readonly Surroundings[]): TestBlock[] {
  const last = new Map(blocks.map((block, index) => [block.title, index]))
  return blocks.filter((block, index) => around[index]?.runs === true && last.get(block.title) === index)
}

function titleOf(language: Language, code: string, start: number, end: number): string {
  const found = language.title.exec(code.slice(start, Math.min(end, start + 2000)))
  return found?.slice(1).find((group) => group !== undefined) ?? lineText(code, start)
}

/** The line around a place; of a very long one only what is near. */
function lineText(code: string, at: number): string {
  const before = code.slice(Math.max(0, at - maxLineText), at)
  const after = code.slice(at, at + maxLineText)
  return `${before.slice(before.lastIndexOf('\n') + 1)}${after.split('\n', 1)[0] ?? ''}`.trim()
}

const maxLineText = 300

function lineCounter(code: string): (at: number) => number {
  const ends = [...code.matchAll(/\n/g)].map((found) => found.index)
  return (at) => countBefore(ends, at) + 1
}

/** How many of the places, which ascend, lie before this one. */
function countBefore(places: readonly number[], at: number): number {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((places[middle] ?? 0) < at) low = middle + 1
    else high = middle
  }
  return low
}
