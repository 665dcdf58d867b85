import type { Strings } from './mask.ts'

/** How tests are written in one language, as patterns: enough to compare two versions of a file, no more. */
export interface Language {
  readonly name: string
  /** Files that may hold tests. Looks at the path alone. */
  readonly isTestFile: (path: string) => boolean
  /** Of those, the ones that runners find by their names: a test that leaves them may never run again. */
  readonly isFoundByName: (path: string) => boolean
  /** Whether what stands outside of tests belongs to them: helpers, but not code beside its tests. */
  readonly isTestCodeOnly: (path: string) => boolean
  /** Finds where the tests begin in masked code that holds other code too, if before the first of them. */
  readonly testCode?: RegExp
  /** Writes the same code in one way, before anything is looked for. Lines stay where they are. */
  readonly normalize: (source: string) => string
  readonly strings: Strings
  /** Finds where a test begins, in masked code; flags `gm`. */
  readonly test: RegExp
  /** Where given: a beginning that matches is a whole test with all up to the next such one, its subtests too. */
  readonly whole?: RegExp
  /** Finds a test's title in what follows its beginning, in plain code: the first group that took part. */
  readonly title: RegExp
  /** Where the body of a test lies that begins in masked code at this place; `null`: it has none that can be told. */
  readonly body: (masked: string, start: number, end: number) => Body | null
  /** Matches the masked text of a body in which nothing is done; no flags. */
  readonly nothing: RegExp
  /**
   * What is known of each beginning of a test from what is around it; without it, all are run and called by their
   * titles. As many answers as beginnings.
   */
  readonly surroundings?: (masked: string, starts: readonly number[]) => readonly Surroundings[]
  /** Finds assertions in masked code; flags `gm`. Those that can never fail are told apart later. */
  readonly assertion: RegExp
  readonly weakenings: readonly Weakening[]
}

/** A way to write a test that does not run, or to keep others from running; flags `gm`. */
export interface Weakening {
  readonly what: 'skips a test' | 'runs some tests only' | 'ends the tests early' | 'turns code off'
  /** May depend on names that the masked code itself gives. */
  readonly pattern: RegExp | ((masked: string) => RegExp)
  /** Looked for in comments too. */
  readonly inComments?: boolean
  /** Not in a test that there was not before: a new one may be written so. */
  readonly inOldTests?: boolean
}

/** A part of the code. */
export interface Body {
  readonly start: number
  readonly end: number
}

/** What stands around the beginning of a test. */
export interface Surroundings {
  /** Whether a runner takes it for a test there. */
  readonly runs: boolean
  /** The names that it is called by, with its title; the last one of these is what runs. */
  readonly scope: string
}
