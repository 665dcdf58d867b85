/** One line of a unified diff. */
export interface PatchLine {
  /** Of the new side; of the old one where the file is gone. */
  readonly path: string
  readonly kind: 'added' | 'removed' | 'kept'
  /** In the new file, counted from 1; of a removed line, where it would stand. */
  readonly number: number
  readonly text: string
}

/** Reads the lines of a unified diff as git prints it. */
export function* patchLines(diff: string): Generator<PatchLine, undefined> {
  let path = ''
  let number = 0
  // Lines of a hunk that are still to come: a line that looks like a header inside of one is content.
  let oldLeft = 0
  let newLeft = 0
  for (const line of diff.split('\n')) {
    if (oldLeft > 0 || newLeft > 0) {
      const text = line.slice(1)
      if (line.startsWith('\\')) continue
      if (line.startsWith('+')) {
        yield { path, kind: 'added', number, text }
        newLeft -= 1
        number += 1
      } else if (line.startsWith('-')) {
        yield { path, kind: 'removed', number, text }
        oldLeft -= 1
      } else {
        yield { path, kind: 'kept', number, text }
        oldLeft -= 1
        newLeft -= 1
        number += 1
      }
      continue
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line)
    if (hunk !== null) {
      oldLeft = Number(hunk[1] ?? 1)
      number = Number(hunk[2])
      newLeft = Number(hunk[3] ?? 1)
    } else if (line.startsWith('--- ')) path = patchPath(line.slice(4)).replace(/^a\//, '')
    else if (line.startsWith('+++ ') && !line.startsWith('+++ /dev/null')) path = patchPath(line.slice(4))
  }
}

/** `path:line` of every line of the new files that a diff shows: those that were added, and those around. */
export function shownLines(diff: string): Set<string> {
  const shown = new Set<string>()
  for (const { path, kind, number } of patchLines(diff))
    if (kind !== 'removed') shown.add(`${path}:${number}`)
  return shown
}

/** A change of others that a later change takes back. */
export interface LostLine {
  readonly path: string
  readonly text: string
  /** They had added it, and it is gone; or they had removed it, and it is back. */
  readonly lost: 'addition' | 'removal'
}

/**
 * What a change takes back of a change before it, line by line within a file: what was added and is removed again, what
 * was removed and is added again. A line that only moves is not lost. Lines without a letter or digit say nothing.
 */
export function lostLines(before: string, after: string): LostLine[] {
  const theirs = balances(before)
  const ours = balances(after)
  const lost: LostLine[] = []
  for (const [path, lines] of ours) {
    for (const [text, change] of lines) {
      const earlier = theirs.get(path)?.get(text) ?? 0
      if (!/[\p{L}\p{N}]/u.test(text)) continue
      if (earlier > 0 && change < 0) lost.push({ path, text, lost: 'addition' })
      if (earlier < 0 && change > 0) lost.push({ path, text, lost: 'removal' })
    }
  }
  return lost
}

/** By path and line: how many more there are than before. */
function balances(diff: string): Map<string, Map<string, number>> {
  const paths = new Map<string, Map<string, number>>()
  for (const { path, kind, text } of patchLines(diff)) {
    if (kind === 'kept') continue
    const lines = paths.get(path) ?? new Map<string, number>()
    lines.set(text, (lines.get(text) ?? 0) + (kind === 'added' ? 1 : -1))
    paths.set(path, lines)
  }
  return paths
}

/** The first mark of an unresolved conflict that a diff adds; `null`: none. */
export function conflictMark(diff: string): { path: string; line: number } | null {
  for (const { path, kind, number, text } of patchLines(diff)) {
    if (kind === 'added' && /^(?:<{7}|>{7}|\|{7}) /.test(text)) return { path, line: number }
  }
  return null
}

const escapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  '\\': 92,
}

/** The path that a patch names: `b/name`, or the same as a C string where the name holds special characters. */
export function patchPath(text: string): string {
  const name = text.replace(/\t$/, '')
  if (!name.startsWith('"')) return name.replace(/^b\//, '')
  const bytes: number[] = []
  for (const [whole, octal, escape] of name.slice(1, -1).matchAll(/\\([0-7]{3})|\\(.)|[^\\]/gsu)) {
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8))
    else if (escape !== undefined) bytes.push(escapes[escape] ?? 63)
    else bytes.push(...Buffer.from(whole))
  }
  return Buffer.from(bytes).toString('utf8').replace(/^b\//, '')
}
