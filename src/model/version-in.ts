/** The first version in what a program says of itself; `null`: there is none. */
export function versionIn(text: string): string | null {
  return /\d+\.\d+\.\d+[\w.+-]*/.exec(text)?.[0] ?? null
}
