/** An answer in place of the true one. */
export interface Refused {
  readonly status: number
  readonly message: string
  readonly errors?: readonly unknown[]
  readonly headers?: Readonly<Record<string, string>>
}

interface Planned {
  readonly route: string
  left: number
  readonly do: 'lose' | 'cut' | 'refuse' | 'hold before' | 'hold after'
  readonly answer?: Refused
  readonly held?: Held
}

/** A call that was stopped on its way. */
export interface Held {
  /** Resolves once a call has come to the point. */
  readonly reached: Promise<void>
  /** Lets all go on that are or will be held there. */
  release(): void
  readonly released: Promise<void>
  /** Called by the stand-in. */
  arrive(): void
}

/** What goes wrong, route by route, e.g. `PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge`. */
export class Faults {
  readonly #planned: Planned[] = []

  /** Does what was asked, then cuts the connection: the answer is lost. */
  lose(route: string, times = 1): void {
    this.#planned.push({ route, left: times, do: 'lose' })
  }

  /** Cuts the connection before anything was done. */
  cut(route: string, times = 1): void {
    this.#planned.push({ route, left: times, do: 'cut' })
  }

  /** Answers this instead of doing it. */
  refuse(route: string, answer: Refused, times = 1): void {
    this.#planned.push({ route, left: times, do: 'refuse', answer })
  }

  /** Stops the next call of the route before or after it is done. */
  hold(route: string, when: 'before' | 'after'): Held {
    const reached = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const held: Held = {
      reached: reached.promise,
      released: released.promise,
      arrive: reached.resolve,
      release: released.resolve,
    }
    this.#planned.push({ route, left: 1, do: when === 'before' ? 'hold before' : 'hold after', held })
    return held
  }

  take(route: string, kinds: readonly Planned['do'][]): Planned | null {
    const found = this.#planned.find((one) => one.route === route && one.left > 0 && kinds.includes(one.do))
    if (found === undefined) return null
    found.left -= 1
    return found
  }
}
