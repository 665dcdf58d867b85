import { RuntimeAway } from '../ports/runtime.ts'
import type { Engine } from './engine.ts'

/** Without a ring, engines that were away are tried again after this long. */
const lookAgainMs = 2_000

/** All engines of this process: who may still take a task. */
export class Engines {
  readonly all: readonly Engine[]
  readonly #waiting = new Set<() => void>()

  constructor(engines: readonly Engine[]) {
    this.all = engines
  }

  /**
   * Takes a slot for a task: on the engine where it has a sandbox already, else on the one with the smallest part of its
   * slots taken. Waits while all are taken. Rejects with {@link RuntimeAway} where no engine can be used, or with the
   * signal's reason.
   */
  async enter(taskId: string, signal: AbortSignal): Promise<Engine> {
    for (;;) {
      signal.throwIfAborted()
      const own = this.all.find((engine) => engine.has(taskId))
      if (own !== undefined) return this.#enter(own, taskId)
      const usable = this.all.filter((engine) => engine.usable)
      if (usable.length === 0) throw new RuntimeAway(this.#faults())
      const free = usable.filter((engine) => engine.load < engine.slots)
      const best = free.toSorted((a, b) => a.load / a.slots - b.load / b.slots)[0]
      if (best === undefined) {
        await this.#change(signal)
        continue
      }
      this.#enter(best, taskId)
      try {
        await best.open()
        return best
      } catch {
        // It is left out for a while; the next best may do.
        this.leave(best, taskId)
      }
    }
  }

  leave(engine: Engine, taskId: string): void {
    engine.leave(taskId)
    for (const wake of this.#waiting) wake()
  }

  #enter(engine: Engine, taskId: string): Engine {
    engine.enter(taskId)
    return engine
  }

  #faults(): string {
    if (this.all.length === 0) return 'no engine is set'
    return `no engine can be used: ${this.all.map((engine) => `${engine.name}: ${engine.fault() ?? ''}`).join('; ')}`
  }

  async #change(signal: AbortSignal): Promise<void> {
    const changed = Promise.withResolvers<void>()
    this.#waiting.add(changed.resolve)
    const timer = setTimeout(changed.resolve, lookAgainMs)
    signal.addEventListener('abort', () => changed.resolve(), { once: true })
    await changed.promise
    clearTimeout(timer)
    this.#waiting.delete(changed.resolve)
  }
}
