import { z } from 'zod'
import { expandBraces, maxVariants } from './glob-braces.ts'
import { compileSegment, segmentMatches, type Segment } from './glob-segment.ts'
import { foldGlob, foldPath } from './look-alike.ts'

/** Tells whether a path of the repository (with `/`, relative to its root) is meant. */
export type PathMatcher = (path: string) => boolean

const maxGlobLength = 500

/**
 * Why a text cannot be taken as a glob, as what to do about it; `null`: it can. Everything that would be read in
 * another way than its writer meant is refused: a rule that silently matches nothing is worse than an error.
 */
export function globFault(glob: string): string | null {
  if (glob === '' || glob.length > maxGlobLength) return `must have 1 to ${maxGlobLength} characters`
  if (glob.includes('\0')) return 'must not contain a NUL character'
  if (glob.startsWith('!')) return 'must not begin with !: list what is meant, and put exceptions under deny'
  if (glob.startsWith('/')) return 'must be relative to the root of the repository: leave out the leading /'
  if (/[@!?*+]\(/.test(glob)) return 'must not use patterns like @(a|b): write {a,b}, or several globs'
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(glob)) return 'must not end with a backslash'
  if (/\{[^{}]*\.\.[^{}]*\}/.test(glob)) return 'must list what stands in braces: {1,2,3}, not {1..3}'
  const variants = expandBraces(glob)
  if (variants === null) return `must close every {, and stand for at most ${maxVariants} variants`
  for (const variant of variants) {
    const parts = partsOf(variant)
    if (parts.some((part) => part === '' || part === '.' || part === '..'))
      return 'must not contain empty parts, . or ..: write it from the root of the repository'
    if (parts.some((part) => part !== '**' && part.includes('**')))
      return 'must have ** alone between slashes: **/*.ts, not **.ts'
  }
  return null
}

function partsOf(glob: string): string[] {
  const parts = glob.replace(/^\.\//, '').split('/')
  // A folder with a slash behind it means all that is in it.
  if (parts.length > 1 && parts.at(-1) === '') parts[parts.length - 1] = '**'
  return parts
}

/** A glob: `*` and `?` within a name, `**` for any folders, `[a-z]`, `{a,b}`; names that begin with a dot count. */
export const globSchema = z
  .string()
  .superRefine((glob, context) => {
    const fault = globFault(glob)
    if (fault !== null) context.addIssue(`${JSON.stringify(glob)} ${fault}`)
  })
  .meta({
    description:
      'Paths from the root of the repository: * and ? within a name, ** for any folders, [a-z], {a,b}. ' +
      'A path without any of these means the file itself, or all that is in the folder.',
  })

/** One glob, or a list of up to 200. */
export const globsSchema = z
  .union([globSchema, z.array(globSchema).max(200)])
  .transform((globs): readonly string[] => (typeof globs === 'string' ? [globs] : globs))

/** Whether it names one path, without any wildcard. */
export function isLiteral(glob: string): boolean {
  return !/[*?[\]{}\\]/.test(glob)
}

/** Matches letter by letter, as git does it. An empty list matches nothing. Throws `TypeError` on a faulty glob. */
export function matcherOf(globs: readonly string[]): PathMatcher {
  const patterns = byFirstLetter(globs.flatMap(compile))
  const anyway = patterns.get('') ?? []
  return (path) => {
    const names = path.split('/')
    const matches = (pattern: Pattern) => patternMatches(pattern, names)
    return (
      anyway.some(matches) ||
      names.some((name) => name !== '' && patterns.get(name.charAt(0))?.some(matches) === true)
    )
  }
}

/**
 * Matches look-alikes too: other case, other Unicode letters of the same shape, backslashes, trailing dots. For rules
 * that forbid, so that no spelling of a name slips past; never for rules that permit.
 */
export function looseMatcherOf(globs: readonly string[]): PathMatcher {
  const exact = matcherOf(globs)
  const folded = matcherOf(globs.map(foldGlob))
  return (path) => exact(path) || folded(foldPath(path))
}

type Pattern = readonly ('**' | readonly Segment[])[]

function compile(glob: string): Pattern[] {
  const variants = expandBraces(glob)
  if (variants === null) throw new TypeError(`not a glob: ${glob}`)
  return variants.map((variant) => {
    const parts = partsOf(variant)
    if (isLiteral(variant)) parts.push('**')
    // As in picomatch: src/** is src too, but */** is only what lies in a folder.
    else if (parts.at(-1) === '**' && !isLiteral(parts.at(-2) ?? '**') && parts.at(-2) !== '**')
      parts.push('*')
    return parts.map((part) => (part === '**' ? part : compileSegment(part)))
  })
}

/**
 * Patterns by a letter that some name of a path must begin with for them to match; under '' those that ask for none. Of
 * hundreds, a path needs to be held against a few.
 */
function byFirstLetter(patterns: readonly Pattern[]): ReadonlyMap<string, readonly Pattern[]> {
  const sorted = new Map<string, Pattern[]>()
  for (const pattern of patterns) {
    const letters = pattern.flatMap((part) => (part === '**' ? [] : [lettersOf(part)]))
    for (const letter of letters.find((one) => !one.has('')) ?? ['']) {
      const others = sorted.get(letter)
      if (others === undefined) sorted.set(letter, [pattern])
      else others.push(pattern)
    }
  }
  return sorted
}

/** What names that fit may begin with; '' stands for anything. */
function lettersOf(readings: readonly Segment[]): ReadonlySet<string> {
  return new Set(readings.map(([first]) => (first?.kind === 'text' ? first.text.charAt(0) : '')))
}

/** Only the last `**` is ever tried again: no path makes this slow. */
function patternMatches(pattern: Pattern, names: readonly string[]): boolean {
  let part = 0
  let at = 0
  let starPart = -1
  let starAt = 0
  while (at < names.length || part < pattern.length) {
    const current = pattern[part]
    const name = names[at]
    if (current === '**') {
      starPart = part
      starAt = at
      part += 1
    } else if (
      current !== undefined &&
      name !== undefined &&
      current.some((segment) => segmentMatches(segment, name))
    ) {
      part += 1
      at += 1
    } else if (starPart >= 0 && starAt < names.length) {
      starAt += 1
      at = starAt
      part = starPart + 1
    } else return false
  }
  return true
}
