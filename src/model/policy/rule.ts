import type { Violation } from '../evidence.ts'
import type { Policy } from './schema.ts'
import type { JudgedWork } from './work.ts'

/**
 * One rule of the policy. Answers what breaks it, in the order of the changes; asks the work for nothing where the
 * policy does not need it. Never throws on account of what the work holds.
 */
export type Rule = (policy: Policy, work: JudgedWork) => Promise<readonly Violation[]> | readonly Violation[]

/** A name as it can be shown on one line, without characters that change how the line looks. */
export function shown(path: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what must not be printed
  const strange = /[\x00-\x1f\x7f-\x9f"\\\p{Cf}\p{Zl}\p{Zp}]/u
  if (!strange.test(path)) return path
  const escaped = Array.from(path, (char) =>
    strange.test(char) && char !== '"' && char !== '\\'
      ? `\\u{${char.codePointAt(0)?.toString(16)}}`
      : char === '"' || char === '\\'
        ? `\\${char}`
        : char,
  )
  return `"${escaped.join('')}"`
}
