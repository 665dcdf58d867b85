import type { Strings } from './mask.ts'

/** How tests are written in one language, as patterns: enough to compare two versions of a file, no more. */
export interface Language {
  readonly name: string
  /** Files that may hold tests. Looks at the path alone. */
  readonly isTestFile: (path: string) => boolean
  /** Whether what stands outside of tests belongs to them: helpers, but not code beside its tests. */
  readonly isTestCodeOnly: (path: string) => boolean
  /** Writes the same code in one way, before anything is looked for. Lines stay where they are. */
  readonly normalize: (source: string) => string
  readonly strings: Strings
  /** Finds where a test begins, in masked code; flags `gm`. */
  readonly test: RegExp
  /** Finds a test's title in what follows its beginning, in plain code: the first group that took part. */
  readonly title: RegExp
  /** Finds assertions in masked code; flags `gm`. Those that can never fail are told apart later. */
  readonly assertion: RegExp
  readonly weakenings: readonly Weakening[]
}

/** A way to write a test that does not run, or to keep others from running; flags `gm`. */
export interface Weakening {
  readonly what: 'skips a test' | 'runs some tests only' | 'ends the tests early' | 'turns code off'
  readonly pattern: RegExp
  /** Looked for in comments too. */
  readonly inComments?: boolean
}
