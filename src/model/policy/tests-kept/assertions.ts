/**
 * How many of the assertions can fail. `code` is the code and `masked` the same with strings and comments blanked;
 * an assertion is looked for between `start` and `end`.
 */
export function countAssertions(
  pattern: RegExp,
  code: string,
  masked: string,
  start: number,
  end: number,
): number {
  let count = 0
  for (const found of masked.slice(start, end).matchAll(pattern)) {
    const from = start + found.index
    if (!isIdle(code, masked, from, found[0])) count += 1
  }
  return count
}

const constant =
  /^(?:true|false|null|undefined|nil|None|True|-?[\d._]+|"[^"]*"|'[^']*'|`[^`$]*`|\[\s*\]|\{\s*\}|!\s*false|not\s+False|!\s*0)$/
const always = /(?:\|\|\s*(?:true|1)|\bor\s+(?:True|1))\s*[),]?\s*$/

/** Whether the assertion that begins here holds whatever the code under test does. */
function isIdle(code: string, masked: string, from: number, text: string): boolean {
  // What fails by being reached is never idle, whatever it says.
  if (/fail|error|fatal|panic|unreachable|raises|warns/i.test(text)) return false
  if (/^assert\s+[^(\s]/.test(text)) return isIdleStatement(code.slice(from, from + text.length))
  const open = from + text.search(/[([{]/)
  const args = open < from ? null : readArguments(code, masked, open)
  if (args === null) return false
  if (!/^(?:expect|assertThat|Expect|that)\s*\($/.test(text)) return isIdlePair(args.parts)
  const rest = masked.slice(args.end, args.end + 200)
  const chain = /^\s*((?:\.\s*\w+\s*)+)(\()?/.exec(rest)
  // expect(x) without a matcher asks nothing; assertThat(x, is(y)) has it inside.
  if (chain === null) return args.parts.length < 2 || isIdlePair(args.parts)
  const matcher = chain[2] === undefined ? null : readArguments(code, masked, args.end + chain[0].length - 1)
  return isIdlePair([...args.parts, ...(matcher?.parts ?? [])])
}

/** `assert true`, `assert x == x`, `assert y or True`. */
function isIdleStatement(statement: string): boolean {
  const condition = statement
    .replace(/^assert\s+/, '')
    .replace(/\s*[,:]\s*f?["'].*$/s, '')
    .replace(/[\s;:]+$/, '')
  return isIdleCondition(condition)
}

function isIdleCondition(condition: string): boolean {
  if (constant.test(condition) || always.test(condition)) return true
  const sides = condition.split(/\s*(?:===?|\bis\b)\s*/)
  return sides.length === 2 && sides[0] === sides[1]
}

function isIdlePair(parts: readonly string[]): boolean {
  const [first, second] = parts
  if (first === undefined) return false
  if (second === undefined) return isIdleCondition(first)
  return first === second || always.test(first) || (constant.test(first) && constant.test(second))
}

const maxArguments = 2000

/** The arguments of the call that opens here, and where it ends; `null`: it does not end soon. */
function readArguments(code: string, masked: string, open: number): { parts: string[]; end: number } | null {
  const parts: string[] = []
  let depth = 0
  let from = open + 1
  const limit = Math.min(masked.length, open + maxArguments)
  for (let at = open; at < limit; at += 1) {
    const char = masked[at] ?? ''
    if ('([{'.includes(char)) depth += 1
    else if (')]}'.includes(char)) depth -= 1
    if (depth === 0 || (depth === 1 && char === ',')) {
      const part = code.slice(from, at).trim()
      if (part !== '') parts.push(part)
      from = at + 1
    }
    if (depth === 0) return { parts, end: at + 1 }
  }
  return null
}
