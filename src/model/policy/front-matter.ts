import { isMap, isScalar, LineCounter, parseDocument, type Pair, type YAMLMap } from 'yaml'
import { fieldFault, type FieldType } from './field-type.ts'

const maxLength = 100_000

/** What is wrong with the front matter of a text, by line, counted from 1. Never throws. */
export function frontMatterFaults(
  fields: Readonly<Record<string, FieldType>>,
  text: string,
): { line: number | null; text: string }[] {
  const names = Object.keys(fields).join(', ')
  const block = /^---[ \t]*\r?\n([\s\S]*?)(?:^|\r?\n)(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/m.exec(
    text.slice(0, maxLength),
  )
  if (block === null || block.index !== 0) {
    return [
      {
        line: 1,
        text: `it must begin with a front matter: a line ---, the fields ${names}, and a line --- again.`,
      },
    ]
  }
  const lines = new LineCounter()
  const document = parseDocument(block[1] ?? '', { lineCounter: lines, logLevel: 'error' })
  const [error] = document.errors
  if (error !== undefined) {
    const [message = 'it cannot be read'] = error.message.split(/ at line \d|\n/)
    return [
      { line: (error.linePos?.[0].line ?? 1) + 1, text: `the front matter is not valid YAML: ${message}.` },
    ]
  }
  const map = document.contents
  if (map !== null && !isMap(map)) return [{ line: 2, text: `the front matter must have fields: ${names}.` }]
  return Object.entries(fields).flatMap(([name, type]) => {
    const optional = name.endsWith('?')
    const key = optional ? name.slice(0, -1) : name
    const pair = map === null ? undefined : pairOf(map, key)
    if (pair === undefined) {
      return optional ? [] : [{ line: 1, text: `the front matter lacks the field ${key}: add it.` }]
    }
    const fault = valueFault(type, pair)
    if (fault === null) return []
    const offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0
    return [
      {
        line: lines.linePos(offset).line + 1,
        text: `the field ${key} of the front matter must be ${fault}.`,
      },
    ]
  })
}

function pairOf(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key)
}

function valueFault(type: FieldType, pair: Pair): string | null {
  if (isScalar(pair.value))
    return fieldFault(type, pair.value.value, pair.value.source ?? String(pair.value.value))
  // Only that it is a list is ever asked of what is not a plain value, so aliases need not be followed.
  const isList =
    typeof pair.value === 'object' && pair.value !== null && 'items' in pair.value && !isMap(pair.value)
  return fieldFault(type, isList ? [] : null, '')
}
