/** A line in one part has at most 64 KiB; a character that would have been cut may make it up to three bytes shorter. */
const fullPartBytes = 64 * 1024 - 3
/** An event longer than this is given up: its parts count as unknown lines. */
const maxEventChars = 4 * 1024 * 1024

export type JsonObject = Readonly<Record<string, unknown>>

/** Reads JSON objects, one a line, where long lines come in parts. Never throws. */
export class JsonLines {
  #parts = ''

  /** `partial`: the line is a part of an event that is not whole yet. `null`: it is no JSON object. */
  read(text: string): JsonObject | 'partial' | null {
    const whole = this.#parts + text
    const value = parse(whole)
    if (value !== null) {
      this.#parts = ''
      return value
    }
    const isBegun = whole.startsWith('{') && whole.length <= maxEventChars
    if (isBegun && Buffer.byteLength(text) >= fullPartBytes) {
      this.#parts = whole
      return 'partial'
    }
    const begunBefore = this.#parts !== ''
    this.#parts = ''
    // What broke off must not take the next whole event with it.
    return begunBefore ? parse(text) : null
  }
}

function parse(text: string): JsonObject | null {
  if (!text.startsWith('{')) return null
  try {
    return asObject(JSON.parse(text))
  } catch {
    return null
  }
}

/** The value as an object; `null`: it is none. */
export function asObject(value: unknown): JsonObject | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null
}

/** An object's part that should be an object; an empty one where it is none. */
export function objectIn(from: JsonObject, key: string): JsonObject {
  return asObject(from[key]) ?? {}
}

/** An object's part that should be a list; an empty one where it is none. */
export function listIn(from: JsonObject, key: string): readonly unknown[] {
  const value = from[key]
  return Array.isArray(value) ? value : []
}

/** An object's part that should be text; `null` where it is none. */
export function textIn(from: JsonObject, key: string): string | null {
  const value = from[key]
  return typeof value === 'string' ? value : null
}

/** An object's part that should be a number; `null` where it is none. */
export function numberIn(from: JsonObject, key: string): number | null {
  const value = from[key]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
