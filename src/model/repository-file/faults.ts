import { isMap, isNode, isPair, isScalar, type Document, type LineCounter } from 'yaml'
import type { z } from 'zod'
import { issueWords, pathName } from '../issue-words.ts'
import { unknownKeyWords } from '../policy/section.ts'
import { issuesOfMeant } from '../union-issues.ts'

/** What is wrong with a file, and where. Line and column are counted from 1. */
export interface FileFault {
  readonly line: number
  readonly column: number
  /** Path of the key, such as `checks[0].run`; `null`: the file as a whole. */
  readonly key: string | null
  readonly message: string
}

/** The faults of a schema, at their places in the file. */
export function faultsOf(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): FileFault[] {
  if (issue.code === 'invalid_union') return unionFaults(issue, document, lines)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) =>
      faultAt([...issue.path, key], unknownKeyWords(issue.message, key), document, lines),
    )
  }
  const isWhole = issue.path.length === 0 && issue.code === 'invalid_type'
  const words = isWhole
    ? 'the file must hold keys with values (key: value) and nothing else'
    : issueWords(issue, kinds)
  return [faultAt(issue.path, words, document, lines)]
}

function unionFaults(
  issue: z.core.$ZodIssueInvalidUnion,
  document: Document,
  lines: LineCounter,
): FileFault[] {
  const meant = issuesOfMeant(issue)
  if (meant !== null) return meant.flatMap((one) => faultsOf(one, document, lines))
  const issues = issue.errors.flat().filter((one) => one.path.length === 0)
  const forms = [...new Set(issues.map((one) => issueWords(one, kinds).replace(/^must be /, '')))]
  const words = forms.includes('is needed') ? 'is needed' : `must be ${forms.join(', or ')}`
  return [faultAt(issue.path, words, document, lines)]
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text, in quotes where it looks like something else',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list, or left out',
  object: 'a mapping of keys to values, or left out',
  record: 'a mapping of keys to values',
}

function faultAt(
  path: readonly PropertyKey[],
  message: string,
  document: Document,
  lines: LineCounter,
): FileFault {
  const { line, col } = lines.linePos(offsetOf(path, document))
  return {
    line: Math.max(1, line),
    column: Math.max(1, col),
    key: path.length === 0 ? null : pathName(path),
    message,
  }
}

/** Where a key stands, or the entry of a list; of what is not there, where its parent stands. */
function offsetOf(path: readonly PropertyKey[], document: Document): number {
  let node: unknown = document.contents
  let offset = 0
  for (const part of path) {
    if (!isNode(node)) break
    const items: readonly unknown[] = 'items' in node && Array.isArray(node.items) ? node.items : []
    const found = isMap(node)
      ? items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part))
      : items[Number(part)]
    const place = isPair(found) ? found.key : found
    if (!isNode(place)) break
    offset = place.range?.[0] ?? offset
    node = isPair(found) ? found.value : found
  }
  return offset
}
