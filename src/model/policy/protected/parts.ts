/**
 * The parts of a file that define checks, by a name to show; what is not in here may change. Throws `SyntaxError`
 * where the text is not what its name says.
 */
export type ReadParts = (text: string) => ReadonlyMap<string, string>

/** Before the name of a package, with where it comes from as its value: counts only for one that was there before. */
export const sourceOf = 'the source of '

/** Before the name of a part that ordinary work adds, too: counts only where it was there before. */
export const keptOf = 'what was there: '

/** Names of the parts that differ, in order. */
export function changedParts(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].filter((name) => {
    if (name.startsWith(sourceOf) && !(before.has(name) && after.has(name))) return false
    if (name.startsWith(keptOf) && !before.has(name)) return false
    return before.get(name) !== after.get(name)
  })
}

/** Lines without those that hold nothing, or a comment that begins with one of these characters. */
export function meaningfulLines(text: string, comment: RegExp): string[] {
  return text
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !comment.test(line))
}
