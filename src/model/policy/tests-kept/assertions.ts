/** One version of a file, in the forms that are needed to look for assertions. */
export interface Code {
  readonly text: string
  /** The same with strings and comments blanked. */
  readonly masked: string
  /** Where the bracket that opens at an index closes; 0: nowhere, or none opens there. */
  readonly closing: Int32Array
}

/** Prepares code for {@link findAssertions}. */
export function codeOf(text: string, masked: string): Code {
  const closing = new Int32Array(masked.length)
  const open: number[] = []
  for (const { 0: bracket, index } of masked.matchAll(/[()[\]{}]/g)) {
    if ('([{'.includes(bracket)) open.push(index)
    else {
      const start = open.pop()
      if (start !== undefined) closing[start] = index
    }
  }
  return { text, masked, closing }
}

/** Where the assertions stand that can fail, in ascending order. */
export function findAssertions(pattern: RegExp, code: Code): number[] {
  return [...code.masked.matchAll(pattern)]
    .filter((found) => !isIdle(code, found.index, found[0]))
    .map((found) => found.index)
}

const constant =
  /^(?:true|false|null|undefined|nil|None|True|-?[\d._]+|"[^"]*"|'[^']*'|`[^`$]*`|\[\s*\]|\{\s*\}|!\s*false|not\s+False|!\s*0)$/
const always = /(?:\|\|\s*(?:true|1)|\bor\s+(?:True|1))\s*[),]?\s*$/

/** Whether the assertion that begins here holds whatever the code under test does. */
function isIdle(code: Code, from: number, text: string): boolean {
  // What fails by being reached is never idle, whatever it says.
  if (/fail|error|fatal|panic|unreachable|raises|warns/i.test(text)) return false
  // A helper of the tests' own: what it is given are cases.
  if (/^expect[A-Z]\w*\s*\($/.test(text)) return false
  if (/^assert\s+[^(\s]/.test(text))
    return text.length <= maxArguments && isIdleStatement(code.text.slice(from, from + text.length))
  const open = from + text.search(/[([{]/)
  const args = open < from ? null : readArguments(code, open)
  if (args === null) return false
  if (!/^(?:expect|assertThat|Expect|that)\s*\($/.test(text)) return isIdlePair(args.parts)
  const rest = code.masked.slice(args.end, args.end + 200)
  const chain = /^\s*((?:\.\s*\w+\s*)+)(\()?/.exec(rest)
  // expect(x) without a matcher asks nothing; assertThat(x, is(y)) has it inside.
  if (chain === null) return args.parts.length < 2 || isIdlePair(args.parts)
  const matcher = chain[2] === undefined ? null : readArguments(code, args.end + chain[0].length - 1)
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

/** Longer arguments are taken for what can fail; nothing idle is written that long. */
const maxArguments = 2000

/** The arguments of the call that opens here, and where it ends; `null`: it does not end soon. */
function readArguments(
  { text, masked, closing }: Code,
  open: number,
): { parts: string[]; end: number } | null {
  const close = closing[open] ?? 0
  if (close === 0 || close - open > maxArguments) return null
  const parts: string[] = []
  let from = open + 1
  for (let at = from; at <= close; at += 1) {
    const inner = closing[at] ?? 0
    if (inner > 0) at = inner
    if (at < close && masked[at] !== ',') continue
    const part = text.slice(from, at).trim()
    if (part !== '') parts.push(part)
    from = at + 1
  }
  return { parts, end: close + 1 }
}
