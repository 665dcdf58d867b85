import type { Log } from '../ports/log.ts'
import type { StartedKeeper, WantedKeeper } from './start-keeper.ts'

/** A sandbox that was just opened has work to do, which a start beside it would hold up. */
const calmMs = 300
/** A container that nobody has taken for so long is ended. */
const idleMs = 60_000

export interface SparesOptions {
  /** How many wait on one engine at most. */
  readonly most: number
  readonly start: (wanted: WantedKeeper, signal: AbortSignal) => Promise<StartedKeeper>
  readonly log: Log
}

interface Spare {
  readonly wanted: WantedKeeper
  /** `null`: it is starting. */
  keeper: StartedKeeper | null
}

/**
 * Containers that wait for the next sandbox: where one was opened, another of its kind is likely to follow, for checks or
 * another task, and a start takes longer than a clone. Nothing of a task is in them before one takes them.
 */
export class Spares {
  readonly #options: SparesOptions
  readonly #spares = new Set<Spare>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #closing = new AbortController()

  constructor(options: SparesOptions) {
    this.#options = options
  }

  /** One that waits and is as wanted; `null`: there is none. */
  take(wanted: WantedKeeper): StartedKeeper | null {
    for (const spare of this.#spares) {
      if (spare.keeper === null || !isLike(spare.wanted, wanted)) continue
      this.#spares.delete(spare)
      if (!spare.keeper.link.isLost) return spare.keeper
      end(spare.keeper)
    }
    return null
  }

  /** Has one more be there soon, if there is room for it. */
  replace(wanted: WantedKeeper): void {
    this.#later(calmMs, () => {
      const here = [...this.#spares].filter((spare) => spare.wanted.engine === wanted.engine)
      if (here.length < this.#options.most && wanted.engine.usable) void this.#start(wanted)
    })
  }

  close(): void {
    this.#closing.abort(new Error('this process is ending'))
    for (const timer of this.#timers) clearTimeout(timer)
    for (const { keeper } of this.#spares) if (keeper !== null) end(keeper)
    this.#spares.clear()
  }

  /** Never rejects: whoever needs the container finds out by itself what is wrong. */
  async #start(wanted: WantedKeeper): Promise<void> {
    const spare: Spare = { wanted, keeper: null }
    this.#spares.add(spare)
    try {
      const keeper = await this.#options.start(wanted, this.#closing.signal)
      spare.keeper = keeper
      if (this.#closing.signal.aborted) return end(keeper)
      this.#later(idleMs, () => this.#drop(spare, keeper))
      await keeper.link.ended
      this.#drop(spare, keeper)
    } catch (error) {
      this.#spares.delete(spare)
      this.#options.log.info('no container could be started for later', { error: String(error) })
    }
  }

  #drop(spare: Spare, keeper: StartedKeeper): void {
    if (this.#spares.delete(spare)) end(keeper)
  }

  #later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      action()
    }, ms)
    timer.unref()
    this.#timers.add(timer)
  }
}

function isLike(one: WantedKeeper, other: WantedKeeper): boolean {
  return (
    one.engine === other.engine &&
    one.image === other.image &&
    JSON.stringify(one.program) === JSON.stringify(other.program)
  )
}

function end({ kill, link, call }: StartedKeeper): void {
  kill()
  link.lose('nobody needs it')
  call.forget()
}
