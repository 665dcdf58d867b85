import type { Change } from '../ports/publisher.ts'
import { pathText } from './path-text.ts'

/** What every comparison of base and head has in common. */
export const diffArguments = ['diff-tree', '-r', '--no-renames', '--no-ext-diff', '--no-textconv'] as const

/** Arguments of git that make it print what {@link parseChanges} reads; with `-p`, the patch after it. */
export const changesArguments = [...diffArguments, '--raw', '--numstat', '-z', '--no-abbrev'] as const

export interface Changes {
  readonly changes: readonly Change[]
  readonly insertions: number
  readonly deletions: number
  /** The unified diff, where git was asked for it in the same breath. */
  readonly patch: Buffer | null
}

const submodule = '160000'

/**
 * Reads all raw entries (`:oldmode newmode oldsha newsha status`, path), then all counts (`ins del path`, `-` for
 * binary), each ended by NUL, in the same order; after one more NUL comes the patch. Throws where git printed anything
 * else.
 */
export function parseChanges(output: Buffer): Changes {
  const entries: Omit<Change, 'insertions' | 'deletions'>[] = []
  const changes: Change[] = []
  let insertions = 0
  let deletions = 0
  let read = 0
  let patch: Buffer | null = null
  const fields = fieldsOf(output)
  for (let field = fields.next(); !field.done; field = fields.next()) {
    const bytes = field.value
    read += bytes.length + 1
    if (bytes.length === 0) {
      patch = output.subarray(read)
      break
    }
    if (bytes[0] === 0x3a) {
      const path = fields.next()
      if (path.done) throw unreadable(bytes)
      read += path.value.length + 1
      entries.push(entryOf(bytes, path.value))
      continue
    }
    const counts = countsOf(bytes)
    const entry = entries[changes.length]
    if (entry === undefined || entry.path !== counts.path) throw unreadable(bytes)
    // Git counts the line that names a submodule's commit; it is no line of a file.
    const counted = counts.insertions !== null && entry.oldMode !== submodule && entry.newMode !== submodule
    const change = {
      ...entry,
      insertions: counted ? counts.insertions : null,
      deletions: counted ? counts.deletions : null,
    }
    insertions += change.insertions ?? 0
    deletions += change.deletions ?? 0
    changes.push(change)
  }
  if (changes.length !== entries.length) throw unreadable(Buffer.from('too few counts'))
  return { changes, insertions, deletions, patch }
}

function* fieldsOf(output: Buffer): Generator<Buffer, undefined> {
  let start = 0
  for (let end = output.indexOf(0, start); end !== -1; end = output.indexOf(0, start)) {
    yield output.subarray(start, end)
    start = end + 1
  }
}

function entryOf(bytes: Buffer, path: Buffer): Omit<Change, 'insertions' | 'deletions'> {
  const [, oldMode, newMode, letter] =
    /^:([0-7]{6}) ([0-7]{6}) [0-9a-f]+ [0-9a-f]+ ([AMDT])$/.exec(bytes.toString('latin1')) ?? []
  if (oldMode === undefined || newMode === undefined) throw unreadable(bytes)
  return { path: pathText(path), status: statusOf(letter), oldMode, newMode }
}

function statusOf(letter: string | undefined): Change['status'] {
  switch (letter) {
    case 'A':
      return 'added'
    case 'D':
      return 'deleted'
    case 'T':
      return 'type_changed'
    default:
      return 'modified'
  }
}

function countsOf(bytes: Buffer): { path: string; insertions: number | null; deletions: number | null } {
  const firstTab = bytes.indexOf(0x09)
  const secondTab = bytes.indexOf(0x09, firstTab + 1)
  if (firstTab === -1 || secondTab === -1) throw unreadable(bytes)
  return {
    path: pathText(bytes.subarray(secondTab + 1)),
    insertions: countOf(bytes.toString('latin1', 0, firstTab)),
    deletions: countOf(bytes.toString('latin1', firstTab + 1, secondTab)),
  }
}

function countOf(text: string): number | null {
  if (text === '-') return null
  if (!/^\d+$/.test(text)) throw unreadable(Buffer.from(text))
  return Number(text)
}

function unreadable(bytes: Buffer): Error {
  return new Error(
    `git diff-tree printed something unknown: ${JSON.stringify(bytes.toString('latin1', 0, 200))}`,
  )
}
