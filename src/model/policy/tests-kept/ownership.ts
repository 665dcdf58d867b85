import type { Body } from './language.ts'

/** Where a test begins, and its body, if that can be told. */
interface Placed {
  readonly start: number
  readonly body: Body | null
}

const maxLead = 2000
const maxNesting = 50

/**
 * Which test a place in masked code belongs to, by its number: the innermost one that it lies in, or the next one where
 * nothing but attributes of that one lie between. `null`: it stands outside of all.
 */
export function ownerOf(
  masked: string,
  closing: Int32Array,
  tests: readonly Placed[],
  at: number,
): number | null {
  const before = lastBefore(tests, at)
  for (let number = before; number >= 0 && before - number < maxNesting; number -= 1) {
    const end = endOf(masked, closing, tests, number)
    if (at < end) return number
  }
  const next = tests[before + 1]
  if (next === undefined || next.start - at > maxLead) return null
  return /[{};]|\b(?:def|class|mod|fn|func)\b/.test(masked.slice(at, next.start)) ? null : before + 1
}

/** Behind the brace that closes the body; of a body without braces, where that ends; else where the next test begins. */
function endOf(masked: string, closing: Int32Array, tests: readonly Placed[], number: number): number {
  const next = tests[number + 1]?.start ?? masked.length
  const body = tests[number]?.body ?? null
  if (body === null) return next
  if (masked[body.start - 1] !== '{') return body.end
  return closing[body.start - 1] || next
}

function lastBefore(tests: readonly Placed[], at: number): number {
  let low = 0
  let high = tests.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((tests[middle]?.start ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return low - 1
}
