/** Of the known words, the one that a misspelt one was likely meant to be; `null`: none is near enough. */
export function nearest(word: string, known: readonly string[]): string | null {
  const most = word.length < 5 ? 1 : 2
  const near = known
    // Also keeps what is looked at short, however long the word is.
    .filter((one) => Math.abs(one.length - word.length) <= most)
    .map((one) => ({ one, distance: editsBetween(word.toLowerCase(), one.toLowerCase(), most) }))
    .filter(({ distance }) => distance <= most)
    .toSorted((a, b) => a.distance - b.distance)
  return near[0]?.one ?? null
}

/** Letters to put in, leave out, exchange or swap; some number above `most` where that many do not do. */
function editsBetween(a: string, b: string, most: number): number {
  if (a === b) return 0
  if (most === 0 || a === '' || b === '') return Math.max(1, a.length, b.length)
  if (a[0] === b[0]) return editsBetween(a.slice(1), b.slice(1), most)
  const ways = [
    editsBetween(a.slice(1), b, most - 1),
    editsBetween(a, b.slice(1), most - 1),
    editsBetween(a.slice(1), b.slice(1), most - 1),
  ]
  if (a[0] === b[1] && a[1] === b[0]) ways.push(editsBetween(a.slice(2), b.slice(2), most - 1))
  return 1 + Math.min(...ways)
}
