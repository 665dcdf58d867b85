import type { Summary, TestBlock, WeakLine } from './summary.ts'

/** Both versions of one changed test file. */
export interface ComparedFile {
  readonly path: string
  /** Runners find it by its name. */
  readonly foundByName: boolean
  readonly base: Summary
  readonly head: Summary
}

/** A way in which the tests became weaker. Lines are those of the head, but of the base for `lost`. */
export type Weaker =
  | { readonly kind: 'lost'; readonly path: string; readonly test: TestBlock }
  | { readonly kind: 'stripped'; readonly path: string; readonly before: number; readonly test: TestBlock }
  | { readonly kind: 'emptied'; readonly path: string; readonly test: TestBlock }
  | {
      readonly kind: 'helpers_stripped'
      readonly path: string
      readonly before: number
      readonly after: number
    }
  | { readonly kind: 'weak_line'; readonly path: string; readonly line: WeakLine }

interface Placed {
  readonly path: string
  readonly foundByName: boolean
  readonly test: TestBlock
}

/**
 * What became weaker over all files of one language. A test is found again by its title, in its own file first, then
 * in any other (it was moved); then any new test of the same file counts as the renamed one. An assertion that stands
 * in a new test now, word for word, is kept.
 */
export function compareTests(files: readonly ComparedFile[]): Weaker[] {
  const weaker: Weaker[] = []
  const lost: Placed[] = []
  const gained: Placed[] = []
  const fewer: { before: Placed; after: Placed }[] = []
  const meet = (before: Placed, after: Placed) => {
    if (after.test.assertions < before.test.assertions) fewer.push({ before, after })
    else if (after.test.empty && !before.test.empty)
      weaker.push({ kind: 'emptied', path: after.path, test: after.test })
  }
  for (const { path, foundByName, base, head } of files) {
    const place = (test: TestBlock): Placed => ({ path, foundByName, test })
    const rest = pair(base.tests.map(place), head.tests.map(place), titleOf, meet)
    lost.push(...rest.before)
    gained.push(...rest.after)
  }
  // What was found by its name must go to where it is found so, too; the rest may go anywhere.
  const byName = pair(lost.filter(isFoundByName), gained.filter(isFoundByName), titleOf, meet)
  const others = lost.filter((one) => !one.foundByName)
  const unmoved = pair(others, [...byName.after, ...gained.filter((one) => !one.foundByName)], titleOf, meet)
  const gone = pair([...byName.before, ...unmoved.before], unmoved.after, (one) => one.path, meet)
  const moved = new Lines(gone.after)
  for (const { before, after } of fewer) {
    const left = new Lines([after])
    const kept = before.test.assertionLines.filter((line) => !left.take(line) && moved.take(line)).length
    if (after.test.assertions + kept < before.test.assertions)
      weaker.push({ kind: 'stripped', path: after.path, before: before.test.assertions, test: after.test })
  }
  for (const { path, test } of gone.before) weaker.push({ kind: 'lost', path, test })
  return [...weaker, ...strippedHelpers(files), ...newWeakLines(files, gone.after)]
}

/** Lines of assertions, each to be taken as often as it stands there. */
class Lines {
  readonly #counts = new Map<string, number>()

  constructor(tests: readonly Placed[]) {
    for (const line of tests.flatMap(({ test }) => test.assertionLines))
      this.#counts.set(line, (this.#counts.get(line) ?? 0) + 1)
  }

  take(line: string): boolean {
    const left = this.#counts.get(line) ?? 0
    this.#counts.set(line, left - 1)
    return left > 0
  }
}

function isFoundByName(one: Placed): boolean {
  return one.foundByName
}

function titleOf(one: Placed): string {
  return one.test.title
}

/**
 * Pairs those with equal keys, the ones with most assertions first, so that what is told as stripped is so however
 * one pairs them. Answers those that found no partner.
 */
function pair(
  before: readonly Placed[],
  after: readonly Placed[],
  key: (one: Placed) => string,
  meet: (before: Placed, after: Placed) => void,
): { before: Placed[]; after: Placed[] } {
  const byAssertions = (a: Placed, b: Placed) => b.test.assertions - a.test.assertions
  // Ascending, since the last one of a list is taken in no time.
  const waiting = Map.groupBy(
    after.toSorted((a, b) => byAssertions(b, a)),
    key,
  )
  const alone: Placed[] = []
  for (const one of before.toSorted(byAssertions)) {
    const other = waiting.get(key(one))?.pop()
    if (other === undefined) alone.push(one)
    else meet(one, other)
  }
  return { before: alone, after: [...waiting.values()].flat() }
}

function strippedHelpers(files: readonly ComparedFile[]): Weaker[] {
  const change = files.reduce((sum, { base, head }) => sum + head.looseAssertions - base.looseAssertions, 0)
  // Helpers may move from one file to another.
  if (change >= 0) return []
  return files
    .filter(({ base, head }) => head.looseAssertions < base.looseAssertions)
    .map(({ path, base, head }) => ({
      kind: 'helpers_stripped' as const,
      path,
      before: base.looseAssertions,
      after: head.looseAssertions,
    }))
}

/** `fresh`: the tests that there were not before, under any name. */
function newWeakLines(files: readonly ComparedFile[], fresh: readonly Placed[]): Weaker[] {
  const known = new Map<string, number>()
  const isFresh = new Set(fresh.map(({ path, test }) => `${path}\0${test.title}`))
  for (const { path, base } of files) {
    for (const line of base.weakLines) known.set(keyOf(path, line), (known.get(keyOf(path, line)) ?? 0) + 1)
  }
  const weaker: Weaker[] = []
  for (const { path, head } of files) {
    for (const line of head.weakLines) {
      if (line.inOldTests && isFresh.has(`${path}\0${line.title}`)) continue
      const left = known.get(keyOf(path, line)) ?? 0
      if (left > 0) known.set(keyOf(path, line), left - 1)
      else weaker.push({ kind: 'weak_line', path, line })
    }
  }
  return weaker
}

// A test that was skipped before may move with its title; what stands outside of tests counts for its file only.
function keyOf(path: string, line: WeakLine): string {
  return [line.title === '' ? path : '', line.title, line.what, line.text.replace(/\s+/g, ' ')].join('\0')
}
