import { randomUUID } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Log } from '../ports/log.ts'
import { RuntimeFailure } from '../ports/runtime.ts'
import { engineName, type EngineAddress } from '../model/engine-address.ts'
import type { SessionAddress } from './graphql.ts'
import { givenSession, openSession, type Session } from './session.ts'
import { Workbench, type WorkbenchOptions } from './workbench.ts'

export interface EngineOptions {
  readonly cli: string
  readonly env: Readonly<Record<string, string>>
  /** A session that is open already; `null`: the engine's own is opened. */
  readonly session: SessionAddress | null
  /** What containers are made with; asked for when an engine is used for the first time. */
  readonly workbench: () => Promise<WorkbenchOptions>
  /** With less free on the engine's disk, no task starts there. */
  readonly minFreeBytes: number
  readonly log: Log
}

/** A session that is open. */
export interface OpenEngine {
  readonly session: Session
  readonly workbench: Workbench
  readonly version: string
}

/** What is known of an engine. */
export type EngineHealth =
  | { kind: 'unknown' }
  | { kind: 'up'; version: string }
  | { kind: 'down'; why: string; retryAtMs: number }

const retryMs = 5_000
const probeMs = 10_000
const lookMs = 120_000

/** One engine: its session, which all of its tasks share, and whether it can be used. */
export class Engine {
  readonly name: string
  readonly slots: number
  readonly #address: EngineAddress
  readonly #options: EngineOptions
  readonly #tasks = new Map<string, number>()
  #opening: Promise<OpenEngine> | null = null
  #looked: Promise<string | null> | null = null
  #health: EngineHealth = { kind: 'unknown' }
  #freeBytes: number | null = null
  #freeAtMs = 0
  #closed = false

  constructor(address: EngineAddress, options: EngineOptions) {
    this.#address = address
    this.#options = options
    this.name = engineName(address)
    this.slots = address.slots
  }

  get health(): EngineHealth {
    return this.#health
  }

  /** Tasks that have a sandbox here. */
  get load(): number {
    return this.#tasks.size
  }

  has(taskId: string): boolean {
    return this.#tasks.has(taskId)
  }

  /** Whether a task may be sent here now: not while it is known to be away, or its disk is nearly full. */
  get usable(): boolean {
    return this.fault() === null
  }

  /** Why no task is sent here now; `null`: nothing is known against it. */
  fault(): string | null {
    if (this.#health.kind === 'down' && performance.now() < this.#health.retryAtMs) return this.#health.why
    const { freeBytes } = this
    if (freeBytes !== null && freeBytes < this.#options.minFreeBytes) {
      return `only ${Math.floor(freeBytes / 1024 / 1024)} MiB are free on its disk`
    }
    return null
  }

  /** A sandbox of the task is about to be opened here; the task has its slot until all of its sandboxes are gone. */
  enter(taskId: string): void {
    this.#tasks.set(taskId, (this.#tasks.get(taskId) ?? 0) + 1)
  }

  leave(taskId: string): void {
    const left = (this.#tasks.get(taskId) ?? 0) - 1
    if (left > 0) this.#tasks.set(taskId, left)
    else this.#tasks.delete(taskId)
  }

  /** Bytes that are free on the engine's disk, as a keeper told. */
  noteFreeBytes(bytes: number): void {
    this.#freeBytes = bytes
    this.#freeAtMs = performance.now()
  }

  /** As told last; `null`: not yet. What is old and bad is asked for again. */
  get freeBytes(): number | null {
    const isOld = performance.now() - this.#freeAtMs > retryMs
    if (this.#freeBytes !== null && this.#freeBytes < this.#options.minFreeBytes && isOld) {
      this.#freeAtMs = performance.now()
      void this.#askFreeBytes()
    }
    return this.#freeBytes
  }

  /** The open session, or a new one. Rejects with {@link RuntimeFailure}. */
  open(): Promise<OpenEngine> {
    if (this.#closed) return Promise.reject(new RuntimeFailure('this process is ending'))
    if (this.#opening === null) {
      const opening = this.#open()
      this.#opening = opening
      opening.catch((error: unknown) => {
        if (this.#opening === opening) this.#opening = null
        this.#down(error instanceof Error ? error.message : String(error))
      })
    }
    return this.#opening
  }

  /**
   * Asks whether the engine still answers, after something went wrong. Where it does not, its session is given up, so
   * that the next task opens another.
   */
  async check(): Promise<boolean> {
    const opening = this.#opening
    if (opening === null) return false
    try {
      await (await opening).workbench.version(probeMs)
      return true
    } catch (error) {
      if (this.#opening === opening) {
        this.#opening = null
        this.#down(`it does not answer any more: ${error instanceof Error ? error.message : String(error)}`)
        void opening.then(({ session }) => session.close()).catch(() => {})
      }
      return false
    }
  }

  /** What keeps sandboxes from being made here, found by making one; `null`: nothing. Never throws. */
  async look(): Promise<string | null> {
    try {
      const { workbench } = await this.open()
      this.#looked ??= this.#look(workbench)
      const fault = await this.#looked
      if (fault !== null) this.#looked = null
      else if (!(await this.check())) return this.fault() ?? 'it does not answer'
      return fault
    } catch (error) {
      this.#looked = null
      const why = error instanceof Error ? error.message : String(error)
      await this.check()
      return why
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const opening = this.#opening
    this.#opening = null
    const opened = await opening?.catch(() => null)
    await opened?.session.close()
  }

  async #open(): Promise<OpenEngine> {
    const { cli, env, session: given, workbench: describe, log } = this.#options
    const [session, options] = await Promise.all([
      given === null
        ? openSession({ cli, address: this.#address.address, env }, new AbortController().signal)
        : givenSession(given),
      describe(),
    ])
    const workbench = new Workbench(session, options)
    const opened = { session, workbench, version: await workbench.version(probeMs) }
    this.#health = { kind: 'up', version: opened.version }
    const opening = this.#opening
    void session.lost.then((why) => {
      if (this.#closed || this.#opening !== opening) return
      log.warn('the session with an engine has ended', { engine: this.name, why })
      this.#opening = null
      this.#down(why)
    })
    return opened
  }

  /** What worked once needs no second try: the engine remembers by itself. */
  async #look(workbench: Workbench): Promise<string | null> {
    const said = await workbench.once(['look'], 'look', AbortSignal.timeout(lookMs))
    return (JSON.parse(said) as { fault: string | null }).fault
  }

  /** A keeper that is started for this alone. Never throws. */
  async #askFreeBytes(): Promise<void> {
    try {
      const { workbench } = await this.open()
      const said = await workbench.once(['disk'], newLife(), AbortSignal.timeout(lookMs))
      this.noteFreeBytes((JSON.parse(said) as { freeBytes: number }).freeBytes)
    } catch (error) {
      this.#options.log.warn('an engine does not tell how full its disk is', {
        engine: this.name,
        error: String(error),
      })
    }
  }

  #down(why: string): void {
    this.#looked = null
    this.#health = { kind: 'down', why, retryAtMs: performance.now() + retryMs }
  }
}

/** A name for something that is done once, past every cache. */
export function newLife(): string {
  return randomUUID()
}
