/** What a diff adds to one file: the lines, and which line of the new file each one is. */
export interface AddedLines {
  readonly path: string
  readonly lines: readonly string[]
  /** Counted from 1, as many as `lines`. */
  readonly numbers: readonly number[]
}

interface Building {
  path: string
  lines: string[]
  numbers: number[]
}

/** Reads the added lines out of a unified diff as git prints it; files that gain no line are left out. */
export function addedLines(diff: string): AddedLines[] {
  const files: Building[] = []
  let file: Building | null = null
  let next = 0
  // Lines of a hunk that are still to come: a line that looks like a header inside of one is content.
  let oldLeft = 0
  let newLeft = 0
  for (const line of diff.split('\n')) {
    if (oldLeft > 0 || newLeft > 0) {
      if (line.startsWith('+')) {
        file?.lines.push(line.slice(1))
        file?.numbers.push(next)
      }
      if (!line.startsWith('+') && !line.startsWith('\\')) oldLeft -= 1
      if (!line.startsWith('-') && !line.startsWith('\\')) {
        newLeft -= 1
        next += 1
      }
      continue
    }
    const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line)
    if (hunk !== null) {
      oldLeft = Number(hunk[1] ?? 1)
      next = Number(hunk[2])
      newLeft = Number(hunk[3] ?? 1)
    } else if (line.startsWith('+++ ')) {
      file = { path: patchPath(line.slice(4)), lines: [], numbers: [] }
      files.push(file)
    }
  }
  return files.filter((each) => each.lines.length > 0)
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
