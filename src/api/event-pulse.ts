import type { EventLog } from '../ports/event-log.ts'
import type { Log } from '../ports/log.ts'
import type { TaskHints } from './task-hints.ts'

/** Hints can get lost: then a change shows this late. */
const backstopMs = 2000
const afterFailureMs = 1000

/**
 * Knows up to which id the events of all tasks are settled, for all readers of this process together. Looks only while
 * somebody reads.
 */
export class EventPulse {
  readonly #log: Pick<EventLog, 'settled'>
  readonly #hints: TaskHints
  readonly #operatorLog: Log
  readonly #closing: AbortSignal
  readonly #waiting = new Set<() => void>()
  #settled = 0
  #beating = false

  constructor(options: {
    readonly eventLog: Pick<EventLog, 'settled'>
    readonly hints: TaskHints
    readonly log: Log
    readonly closing: AbortSignal
  }) {
    this.#log = options.eventLog
    this.#hints = options.hints
    this.#operatorLog = options.log
    this.#closing = options.closing
  }

  /** The greatest id that is settled, looked up now. */
  async now(): Promise<number> {
    this.#settled = Math.max(this.#settled, await this.#log.settled(this.#closing))
    return this.#settled
  }

  /** Resolves with a settled id greater than this one, or with what is known when `ms` are over or the signal aborts. */
  async beyond(id: number, ms: number, signal: AbortSignal): Promise<number> {
    if (this.#settled > id || signal.aborted) return this.#settled
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done)
      this.#waiting.add(done)
      if (!this.#beating) void this.#beat()
    })
    return this.#settled
  }

  async #beat(): Promise<void> {
    this.#beating = true
    const watch = this.#hints.watch(null)
    try {
      while (this.#waiting.size > 0 && !this.#closing.aborted) {
        const before = this.#settled
        try {
          await this.now()
        } catch (error) {
          if (this.#closing.aborted) break
          this.#operatorLog.warn('the events of all tasks cannot be read now', { error: String(error) })
          await watch.changed(afterFailureMs, this.#closing)
          continue
        }
        if (this.#settled > before) for (const wake of this.#waiting) wake()
        else await watch.changed(backstopMs, this.#closing)
      }
    } finally {
      watch.end()
      this.#beating = false
      // Whoever came in the last moment is not forgotten.
      if (this.#waiting.size > 0 && !this.#closing.aborted) void this.#beat()
    }
  }
}
