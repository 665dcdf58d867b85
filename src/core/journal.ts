import type { NewEvent, Step } from '../model/event.ts'
import type { Clock } from '../ports/clock.ts'
import { LeaseLost, type Lease } from '../ports/lease.ts'
import type { TaskStore } from '../ports/task-store.ts'

const flushAfterMs = 250
const retryAfterMs = 1000
const flushAtBytes = 64 * 1024
const outputChunkBytes = 16 * 1024
/** While the database is away output piles up here; beyond this it is dropped, and a note says so. */
const maxBufferedBytes = 8 * 1024 * 1024
/** Of one attempt: more than the store keeps of a task, so that it is the store that says where it stops. */
const maxOutputBytes = 32 * 1024 * 1024

/** An event that waits to be written, and when it happened. */
interface Buffered {
  readonly event: NewEvent
  readonly atMs: number
}

export interface JournalOptions {
  readonly store: Pick<TaskStore, 'record'>
  readonly lease: Lease
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Masks secrets. */
  readonly mask: (text: string) => string
  readonly isTransient: (error: unknown) => boolean
  /** The lease was lost, or events cannot be written for good. */
  readonly onFailure: (error: unknown) => void
}

/** Collects the events of one attempt and writes them in order, a few times a second at most. */
export class Journal {
  readonly #options: JournalOptions
  #buffer: Buffered[] = []
  #bufferedBytes = 0
  #outputBytes = 0
  #dropped = 0
  #urgent = false
  #timer: NodeJS.Timeout | null = null
  #writing: Promise<void> = Promise.resolve()
  #failed = false

  constructor(options: JournalOptions) {
    this.#options = options
  }

  /** A fact worth telling. */
  note(step: Step | null, text: string, data: Record<string, unknown> = {}): void {
    this.#add({ type: 'note', step, text: this.#options.mask(text), data })
  }

  stepStarted(step: Step): void {
    this.#add({ type: 'step.started', step, text: '', data: {} })
  }

  stepEnded(step: Step, durationMs: number, error: string | null): void {
    const data = { durationMs: Math.round(durationMs), ok: error === null }
    this.#add({ type: 'step.ended', step, text: error === null ? '' : this.#options.mask(error), data })
  }

  /** One line that a process in a sandbox printed; with the facts behind it, it is an event of its own. */
  output(step: Step, line: string, facts: Readonly<Record<string, unknown>> | null = null): void {
    // Masked when it is written, many lines at once: an agent may print a million of them.
    const text = `${line}\n`
    this.#outputBytes += text.length
    if (this.#outputBytes > maxOutputBytes) return
    if (facts !== null) {
      this.#add({ type: 'output', step, text, data: this.#masked(facts) })
      return
    }
    const last = this.#buffer.at(-1)?.event
    const goesOn = last?.type === 'output' && last.step === step && Object.keys(last.data).length === 0
    if (goesOn && last.text.length < outputChunkBytes) {
      last.text += text
      this.#grow(text.length)
    } else {
      this.#add({ type: 'output', step, text, data: {} })
    }
  }

  /** Writes what is left. Rejects with what kept it from being written. */
  async flush(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#urgent = false
    this.#writing = this.#writing.then(() => this.#write())
    await this.#writing
  }

  #masked(facts: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const { mask } = this.#options
    return Object.fromEntries(
      Object.entries(facts).map(([key, value]) => [key, typeof value === 'string' ? mask(value) : value]),
    )
  }

  #add(event: NewEvent): void {
    if (event.type === 'output' && this.#bufferedBytes > maxBufferedBytes) {
      this.#dropped += event.text.length
      return
    }
    this.#buffer.push({ event, atMs: this.#options.clock.monotonicMs() })
    this.#grow(event.text.length)
  }

  #grow(bytes: number): void {
    this.#bufferedBytes += bytes
    if (this.#failed) return
    const urgent = this.#bufferedBytes >= flushAtBytes
    if (this.#timer !== null && (this.#urgent || !urgent)) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#urgent = urgent
    this.#schedule(urgent ? 0 : flushAfterMs)
  }

  #schedule(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.flush().catch((error: unknown) => this.#fail(error))
    }, ms)
  }

  async #write(): Promise<void> {
    if (this.#buffer.length === 0 || this.#failed) return
    const batch = this.#buffer
    const nowMs = this.#options.clock.monotonicMs()
    this.#buffer = []
    this.#bufferedBytes = 0
    if (this.#dropped > 0) {
      const text = `${this.#dropped} bytes of output were dropped: the database could not take them in time`
      this.#dropped = 0
      batch.push({ event: { type: 'note', step: null, text, data: {} }, atMs: nowMs })
    }
    try {
      const events = batch.map(({ event, atMs }) => {
        const text = event.type === 'output' ? this.#options.mask(event.text) : event.text
        return { ...event, text, agoMs: nowMs - atMs }
      })
      await this.#options.store.record(this.#options.lease, events)
    } catch (error) {
      if (error instanceof LeaseLost || !this.#options.isTransient(error)) throw error
      // Kept in order for the next time.
      this.#buffer = [...batch, ...this.#buffer]
      this.#bufferedBytes = this.#buffer.reduce((bytes, { event }) => bytes + event.text.length, 0)
      if (this.#timer === null) this.#schedule(retryAfterMs)
    }
  }

  #fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#buffer = []
    this.#options.onFailure(error)
  }
}
