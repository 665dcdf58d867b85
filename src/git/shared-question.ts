interface Asked<T> {
  readonly running: Promise<T>
  /** Begins when the running one has ended; for all who came meanwhile. */
  next: Promise<T> | null
}

/**
 * Lets those who ask the same at the same time share one answer, which nobody gets unless it was asked for after they
 * came: eight tasks that start together on one repository ask its remote twice and not eight times.
 */
export function createSharedQuestion<T>(): (key: string, ask: () => Promise<T>) => Promise<T> {
  const open = new Map<string, Asked<T>>()

  function begin(key: string, ask: () => Promise<T>): Promise<T> {
    const asked: Asked<T> = { running: ask(), next: null }
    open.set(key, asked)
    const end = () => {
      if (open.get(key) === asked && asked.next === null) open.delete(key)
    }
    asked.running.then(end, end)
    return asked.running
  }

  return (key, ask) => {
    const asked = open.get(key)
    if (asked === undefined) return begin(key, ask)
    const again = () => begin(key, ask)
    asked.next ??= asked.running.then(again, again)
    return asked.next
  }
}
