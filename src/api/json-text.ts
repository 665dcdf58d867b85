import type { FieldError } from './problem.ts'

/** The text is not JSON, or nested too deep. The message says where. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault'
}

export interface ParsedJson {
  readonly value: unknown
  /** Keys that stand twice, and text that no database or command can hold. */
  readonly faults: readonly FieldError[]
}

const maxDepth = 64
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/**
 * Reads JSON as JSON.parse does, and besides says line and column of a mistake, refuses deep nesting and notes
 * doubled keys, of which JSON.parse would silently drop one. Throws {@link JsonFault}.
 */
export function parseJson(text: string): ParsedJson {
  return new JsonText(text).parse()
}

class JsonText {
  readonly #text: string
  readonly #faults: FieldError[] = []
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): ParsedJson {
    const value = this.#value('', 0)
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#fail('more text after the end of the value')
    return { value, faults: this.#faults }
  }

  #value(path: string, depth: number): unknown {
    if (depth > maxDepth) this.#fail(`nested deeper than ${maxDepth} levels`)
    this.#skipSpace()
    const character = this.#text[this.#at]
    if (character === '{') return this.#object(path, depth)
    if (character === '[') return this.#array(path, depth)
    if (character === '"') return this.#string(path)
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (!this.#text.startsWith(word, this.#at)) continue
      this.#at += word.length
      return value
    }
    return this.#number()
  }

  #object(path: string, depth: number): unknown {
    const entries = new Map<string, unknown>()
    this.#at += 1
    this.#skipSpace()
    if (this.#take('}')) return {}
    do {
      this.#skipSpace()
      if (this.#text[this.#at] !== '"') this.#fail('expected a key in double quotes')
      const key = this.#string(path)
      const field = path === '' ? key : `${path}.${key}`
      if (entries.has(key)) this.#faults.push({ field, message: 'stands twice; leave one out' })
      this.#skipSpace()
      if (!this.#take(':')) this.#fail('expected a colon after the key')
      entries.set(key, this.#value(field, depth + 1))
      this.#skipSpace()
    } while (this.#take(','))
    if (!this.#take('}')) this.#fail('expected a comma or }')
    return Object.fromEntries(entries)
  }

  #array(path: string, depth: number): unknown {
    const items: unknown[] = []
    this.#at += 1
    this.#skipSpace()
    if (this.#take(']')) return items
    do {
      items.push(this.#value(`${path}[${items.length}]`, depth + 1))
      this.#skipSpace()
    } while (this.#take(','))
    if (!this.#take(']')) this.#fail('expected a comma or ]')
    return items
  }

  #string(path: string): string {
    const start = this.#at
    this.#at += 1
    while (this.#text[this.#at] !== '"') {
      if (this.#at >= this.#text.length) this.#fail('the text ends inside a string')
      if (this.#text.charCodeAt(this.#at) < 0x20) this.#fail('a control character inside a string')
      this.#at += this.#text[this.#at] === '\\' ? 2 : 1
    }
    this.#at += 1
    const value = this.#decode(start)
    // PostgreSQL, arguments and environment variables hold neither of the two.
    if (value.includes('\0')) {
      this.#faults.push({ field: path || 'body', message: 'must not contain a NUL character' })
    }
    if (!value.isWellFormed()) {
      this.#faults.push({ field: path || 'body', message: 'must not contain half of a surrogate pair' })
    }
    return value
  }

  #decode(start: number): string {
    try {
      return String(JSON.parse(this.#text.slice(start, this.#at)))
    } catch {
      this.#at = start
      return this.#fail('a string with a wrong escape')
    }
  }

  #number(): number {
    numberPattern.lastIndex = this.#at
    const found = numberPattern.exec(this.#text)
    if (found === null) {
      return this.#fail(this.#at >= this.#text.length ? 'the text ends too early' : 'expected a value')
    }
    this.#at += found[0].length
    return Number(found[0])
  }

  #skipSpace(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? 'x')) this.#at += 1
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #fail(what: string): never {
    const before = this.#text.slice(0, this.#at).split('\n')
    throw new JsonFault(`${what}, at line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`)
  }
}
