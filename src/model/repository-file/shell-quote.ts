/**
 * A file's name as one word of a POSIX shell, whatever it is made of (a NUL, which no name can have, excepted).
 * `./` goes in front where a program could take the name for an option, a response file or the like.
 */
export function shellQuote(path: string): string {
  const safe = /^[\p{L}\p{N}_./]/u.test(path) ? path : `./${path}`
  return /^[\w./-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", `'\\''`)}'`
}
