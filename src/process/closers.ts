/** Whoever opens something pushes its closer; all are called once, last first, and the first error is kept. */
export class Closers {
  readonly #closers: (() => Promise<void> | void)[] = []

  push(closer: () => Promise<void> | void): void {
    this.#closers.push(closer)
  }

  /** Rejects with the first error, after everything was tried. */
  async close(): Promise<void> {
    const errors: unknown[] = []
    for (let closer = this.#closers.pop(); closer !== undefined; closer = this.#closers.pop()) {
      try {
        await closer()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }
}
