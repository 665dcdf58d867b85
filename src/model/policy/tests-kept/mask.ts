/** What a language takes for comments and strings. */
export interface Strings {
  /** What begins a comment that ends with the line. */
  readonly lineComment: '//' | '#'
  readonly blockComments: 'none' | 'plain' | 'nested'
  /** Quotes three times in a row are strings of several lines. */
  readonly tripleQuotes: boolean
  /** `template`: with `${code}` inside; `raw`: without escapes. */
  readonly backtick: 'template' | 'raw' | 'none'
  /** Single quotes: a string, or a single character (`'a` alone being something else). */
  readonly apostrophe: 'string' | 'character'
  readonly rawHashes: boolean
  readonly regexes: boolean
}

/**
 * The code with all comments and the content of all strings blanked: of the same length, with the same lines. So a
 * test in a comment or in a string is none. Hostile or broken code gives some text of that length, in linear time.
 */
export function mask(source: string, strings: Strings): string {
  const parts: string[] = []
  const templates: number[] = []
  let depth = 0
  let at = 0
  // The last character that is code; a string, template or expression counts as one value.
  let last = -1
  let lastIsValue = false
  const blank = (end: number, keep: number) => {
    const text = source.slice(at, end)
    const ends = Math.min(keep, text.length >> 1)
    const inner = text.slice(ends, text.length - ends)
    parts.push(text.slice(0, ends) + spaces(inner) + text.slice(text.length - ends))
    at = end
    if (keep > 0) lastIsValue = true
  }
  const plainTo = (end: number) => {
    const text = source.slice(at, end)
    const length = text.trimEnd().length
    if (length > 0) {
      last = at + length - 1
      lastIsValue = false
    }
    parts.push(text)
    at = end
  }
  while (at < source.length) {
    const next = nextSpecial(source, at)
    if (next > at) {
      plainTo(next)
      continue
    }
    const char = source[at] ?? ''
    const comment = commentEnd(source, at, strings)
    if (comment !== null) {
      blank(comment, 0)
      continue
    }
    const inTemplate = char === '}' && templates.length > 0 && templates.at(-1) === depth
    if (strings.backtick === 'template' && (char === '`' || inTemplate)) {
      if (inTemplate) templates.pop()
      const end = templateEnd(source, at + 1)
      const opens = source.startsWith('${', end - 2)
      if (opens) templates.push(depth)
      blank(end, 1)
      lastIsValue = !opens
      if (opens) last = -1
      continue
    }
    const before = lastIsValue ? ')' : source.slice(Math.max(0, last - 15), last + 1)
    const string = stringEnd(source, at, strings) ?? (strings.regexes ? regexEnd(source, at, before) : null)
    if (string !== null) {
      blank(string, 1)
      continue
    }
    if (char === '{') depth += 1
    else if (char === '}') depth -= 1
    plainTo(at + 1)
  }
  return parts.join('')
}

/** Where the next character stands that could begin or end something else than plain code. */
function nextSpecial(source: string, at: number): number {
  const special = /["'`/#{}]|(?<!\w)b?r#{0,50}"/g
  special.lastIndex = at
  return special.exec(source)?.index ?? source.length
}

function spaces(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}

function commentEnd(source: string, at: number, strings: Strings): number | null {
  if (source.startsWith(strings.lineComment, at)) {
    const end = source.indexOf('\n', at)
    return end < 0 ? source.length : end
  }
  if (strings.blockComments === 'none' || !source.startsWith('/*', at)) return null
  const edge = /\/\*|\*\//g
  edge.lastIndex = at + 2
  for (let depth = 1; ;) {
    const found = edge.exec(source)
    if (found === null) return source.length
    if (found[0] === '*/') depth -= 1
    else if (strings.blockComments === 'nested') depth += 1
    if (depth === 0) return edge.lastIndex
  }
}

/** The end of the text part of a template: behind its closing backtick, or behind the `${` of code in it. */
function templateEnd(source: string, start: number): number {
  const edge = /\\[\s\S]|`|\$\{/g
  edge.lastIndex = start
  for (let found = edge.exec(source); found !== null; found = edge.exec(source)) {
    if (!found[0].startsWith('\\')) return edge.lastIndex
  }
  return source.length
}

function stringEnd(source: string, at: number, strings: Strings): number | null {
  const char = source[at]
  if (strings.rawHashes && (char === 'r' || char === 'b') && !/\w/.test(source[at - 1] ?? '')) {
    const opening = sticky(/b?r(#*)"/y, source, at)
    if (opening !== null) return after(source, `"${opening[1]}`, at + opening[0].length)
  }
  if (char === '`' && strings.backtick === 'raw') return after(source, '`', at + 1)
  if (char !== '"' && char !== "'") return null
  const triple = char.repeat(3)
  if (strings.tripleQuotes && source.startsWith(triple, at)) return tripleEnd(source, triple, at + 3)
  if (char === "'" && strings.apostrophe === 'character') {
    const character = sticky(/'(?:\\[^\n'][^'\n]{0,10}|\\'|[^\\'\n]{1,2})'/y, source, at)
    return character === null ? null : at + character[0].length
  }
  const string = sticky(
    char === '"' ? /"(?:[^"\\\n]|\\[\s\S])*"?/y : /'(?:[^'\\\n]|\\[\s\S])*'?/y,
    source,
    at,
  )
  return string === null ? null : at + string[0].length
}

function tripleEnd(source: string, triple: string, start: number): number {
  for (let at = start; at < source.length; at += 1) {
    if (source[at] === '\\') at += 1
    else if (source.startsWith(triple, at)) return at + 3
  }
  return source.length
}

function after(source: string, text: string, start: number): number {
  const end = source.indexOf(text, start)
  return end < 0 ? source.length : end + text.length
}

/** A slash begins a regular expression where no value stands before it. Bounded: no line can make this slow. */
function regexEnd(source: string, at: number, before: string): number | null {
  if (source[at] !== '/') return null
  const isOperand =
    /[\w$)\]}`]$/.test(before) &&
    !/(?<![\w$])(?:return|typeof|case|in|of|do|else|void|delete|await|yield)$/.test(before)
  if (isOperand) return null
  const regex = sticky(
    /\/(?:\\[^\n]|\[(?:\\[^\n]|[^\]\\\n]){0,200}\]|[^/\\\n[]){1,500}\/[a-z]{0,20}/y,
    source,
    at,
  )
  return regex === null ? null : at + regex[0].length
}

function sticky(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(source)
}
