const chunkSize = 1000

/** Asks about many at the same time, a few at a time; the answers come in the order of the items, each as a list. */
export async function flatMapInChunks<T, R>(
  items: readonly T[],
  ask: (item: T) => Promise<readonly R[]>,
): Promise<R[]> {
  const answers: R[] = []
  for (let at = 0; at < items.length; at += chunkSize) {
    for (const found of await Promise.all(items.slice(at, at + chunkSize).map(ask))) answers.push(...found)
  }
  return answers
}
