const shownItems = 5

/** The first items, and how many more there are. */
export function list(items: readonly string[]): string {
  const shown = items.slice(0, shownItems).join('; ')
  const rest = items.length - shownItems
  return rest > 0 ? `${shown}; and ${rest} more` : shown
}

/** An amount of money, to the cent where it has some. */
export function dollars(amount: number): string {
  return `$${amount.toFixed(amount < 0.1 ? 4 : 2)}`
}

/** A size in whole mebibytes. */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`
}
