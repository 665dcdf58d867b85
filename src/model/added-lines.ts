import { patchLines } from './patch-lines.ts'

/** What a diff adds to one file: the lines, and which line of the new file each one is. */
export interface AddedLines {
  readonly path: string
  readonly lines: readonly string[]
  /** Counted from 1, as many as `lines`. */
  readonly numbers: readonly number[]
}

interface Building {
  readonly path: string
  readonly lines: string[]
  readonly numbers: number[]
}

/** Reads the added lines out of a unified diff as git prints it; files that gain no line are left out. */
export function addedLines(diff: string): AddedLines[] {
  const files: Building[] = []
  for (const { path, kind, number, text } of patchLines(diff)) {
    if (kind !== 'added') continue
    let file = files.at(-1)
    if (file?.path !== path) {
      file = { path, lines: [], numbers: [] }
      files.push(file)
    }
    file?.lines.push(text)
    file?.numbers.push(number)
  }
  return files
}
