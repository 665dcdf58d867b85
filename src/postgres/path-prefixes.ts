/**
 * The part of a path pattern that stands before anything special: two patterns can only match the same file where one
 * of their prefixes begins with the other. A pattern that begins with something special has the prefix '', which
 * overlaps everything.
 */
export function literalPrefix(glob: string): string {
  const plain = glob.replace(/^(?:\.\/+)+/, '').replace(/\/{2,}/g, '/')
  if (plain.startsWith('!')) return ''
  const special = plain.search(/[*?[\]{}()\\|]|[@+!](?=\()/)
  return special === -1 ? plain : plain.slice(0, special)
}
