import {
  isAlias,
  isCollection,
  isPair,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type YAMLError,
} from 'yaml'
import type { FileFault } from './faults.ts'

const maxBytes = 256 * 1024
const maxAliases = 50
/** Of the nodes that a value lies in: a mapping counts twice, for itself and its key. */
const maxParents = 40

export type ReadDocument =
  /** `value` is made of plain objects, arrays and scalars; `null`: the file is empty. */
  | { readonly ok: true; readonly value: unknown; readonly document: Document; readonly lines: LineCounter }
  | { readonly ok: false; readonly faults: readonly FileFault[] }

/** Reads one YAML 1.2 document that people wrote, and refuses what is meant to trick or to exhaust. Never throws. */
export function readYaml(text: string): ReadDocument {
  if (Buffer.byteLength(text) > maxBytes) return refused(`is larger than ${maxBytes / 1024} KB: shorten it`)
  const source = text.replace(/^\ufeff/, '')
  const nul = source.search(/[\0\ufffd]/)
  if (nul >= 0) return refused('is not plain UTF-8 text: save it as such', source.slice(0, nul))
  const lines = new LineCounter()
  // Never silent: then a second document would be left out without a word.
  const document = parseDocument(source, {
    lineCounter: lines,
    logLevel: 'error',
    version: '1.2',
    merge: false,
  })
  const errors = [...document.errors, ...document.warnings]
  if (errors.length > 0)
    return { ok: false, faults: errors.slice(0, 10).map((error) => faultOf(error, source)) }
  const trick = trickIn(document)
  if (trick !== null) {
    const { line, col } = lines.linePos(trick.offset)
    return { ok: false, faults: [{ line, column: col, key: null, message: trick.message }] }
  }
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: maxAliases }) as unknown, document, lines }
  } catch (error) {
    // Aliases of aliases multiply; that is the only way left in which this can fail.
    return refused(
      `cannot be used: ${error instanceof Error ? error.message : String(error)}. Write the values out`,
    )
  }
}

function refused(message: string, before = ''): ReadDocument {
  const rows = before.split('\n')
  const fault = {
    line: rows.length,
    column: (rows.at(-1)?.length ?? 0) + 1,
    key: null,
    message: `the file ${message}`,
  }
  return { ok: false, faults: [fault] }
}

/** What the parser takes and we do not: aliases without an anchor, of themselves, keys that are no text, deep nesting. */
function trickIn(document: Document): { offset: number; message: string } | null {
  let trick: { offset: number; message: string } | null = null
  let aliases = 0
  const found = (offset: number | undefined, message: string) => {
    trick = { offset: offset ?? 0, message }
    return visit.BREAK
  }
  visit(document, {
    Node(_key, node, parents) {
      const offset = node.range?.[0]
      if (parents.length > maxParents) return found(offset, 'is nested too deeply: make it flatter')
      if (!isAlias(node)) return undefined
      // Each one is looked for from the start of the document.
      if (++aliases > maxAliases)
        return found(offset, `has more than ${maxAliases} references (*name): write the values out`)
      const target = node.resolve(document)
      if (target === undefined)
        return found(
          offset,
          `*${node.source} is a reference in YAML, to nothing here: put a glob in quotes, "*${node.source}"`,
        )
      return parents.includes(target) ? found(offset, 'refers to itself: write the value out') : undefined
    },
    Pair(_key, pair) {
      const isText = !isCollection(pair.key) && !isPair(pair.key) && !isAlias(pair.key)
      return isText ? undefined : found(undefined, 'has a key that is no text: write keys as plain words')
    },
  })
  return trick
}

const hints: Readonly<Record<string, string>> = {
  MULTIPLE_DOCS: 'the file has several documents (---): keep one of them',
  TAB_AS_INDENT: 'tabs cannot indent in YAML: use spaces',
  BAD_SCALAR_START: 'a value that begins with this character must be in quotes',
  RESOURCE_EXHAUSTION: 'is nested too deeply: make it flatter',
  BLOCK_AS_IMPLICIT_KEY: 'a value that holds a colon and a space must be in quotes',
  TAG_RESOLVE_FAILED: 'what begins with ! is a tag in YAML: put the value in quotes',
}

function faultOf(error: YAMLError, source: string): FileFault {
  const [plain = 'is not valid YAML'] = error.message.split(/:? at line \d|\n/)
  const place = error.linePos?.[0]
  return {
    line: place?.line ?? 1,
    column: place?.col ?? 1,
    key: null,
    message:
      error.code === 'DUPLICATE_KEY'
        ? `${keyAt(source, error.pos[0])} stands here twice: keep one of the two`
        : (hints[error.code] ?? `is not valid YAML: ${plain}. Mend this line, or put the value in quotes`),
  }
}

function keyAt(source: string, at: number): string {
  return /^[^:\n]{1,60}/.exec(source.slice(at))?.[0].trim() ?? 'this key'
}
