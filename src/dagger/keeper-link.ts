import type { Socket } from 'node:net'
import { RuntimeFailure, TooLarge, type ExecEnd, type OutputLine } from '../ports/runtime.ts'
import { Frames } from './frames.ts'
import type { FromKeeper, SentCommand, ToKeeper } from './protocol.ts'

/** Somebody who waits for an answer of the keeper. */
interface Waiting {
  readonly resolve: (answer: FromKeeper, body: Buffer) => void
  readonly reject: (error: Error) => void
  readonly onLine?: (line: OutputLine) => void
}

export interface KeeperLinkOptions {
  /** The engine, in words. */
  readonly engine: string
  readonly onFreeBytes: (bytes: number) => void
  /** Whether the engine still answers. */
  readonly check: () => Promise<boolean>
}

const pingMs = 3_000
/** Without an answer for so long, the engine is asked. */
const doubtMs = 15_000
/** Where the engine answers and the keeper does not, something in between is broken. */
const lostMs = 90_000
const opening = -1
const closing = -2

/** The connection to one keeper. When it is lost, everything that waits for it fails as the machinery's fault. */
export class KeeperLink {
  readonly #options: KeeperLinkOptions
  readonly #socket: Socket
  readonly #frames: Frames<ToKeeper, FromKeeper>
  readonly #waiting = new Map<number, Waiting>()
  readonly #timer: NodeJS.Timeout
  readonly #ended: Promise<void>
  #wanted: ((files: readonly string[]) => void) | null = null
  #lastId = 0
  #heardMs = performance.now()
  #doubting = false
  #closing = false
  #fault: RuntimeFailure | null = null

  constructor(socket: Socket, options: KeeperLinkOptions) {
    this.#options = options
    this.#socket = socket
    this.#frames = new Frames(socket, (message, body) => this.#hear(message, body))
    this.#ended = new Promise((resolve) => socket.once('close', () => resolve()))
    socket.once('end', () => socket.end())
    socket.once('close', () => {
      // Where the engine is to blame, nobody else is sent there.
      if (this.#fault === null && !this.#closing) void options.check()
      this.lose('the container was ended from outside')
    })
    // At once, too: the shortest task tells how full the engine's disk is.
    this.#beat()
    this.#timer = setInterval(() => this.#beat(), pingMs)
    this.#timer.unref()
  }

  /** Resolves when the keeper, and so all that its container held, is gone. */
  get ended(): Promise<void> {
    return this.#ended
  }

  get isLost(): boolean {
    return this.#fault !== null
  }

  send(message: ToKeeper, body?: Buffer): void {
    this.#frames.send(message, body)
  }

  /** See `Frames.room`. */
  room(): Promise<void> | null {
    return this.#frames.room()
  }

  /** Sends the plan of a sandbox, and waits until it is made; `onWanted` is told what has to be brought for it. */
  open(
    plan: Extract<ToKeeper, { kind: 'open' }>,
    work: Buffer | undefined,
    onWanted: (files: readonly string[]) => void,
  ): Promise<FromKeeper> {
    this.#wanted = onWanted
    return this.#wait(opening, plan, work)
  }

  /** Resolves as `Sandbox.exec`; aborting ends the command inside. */
  async exec(
    command: SentCommand,
    stdin: Buffer | undefined,
    telling: { signal: AbortSignal; onLine?: (line: OutputLine) => void },
  ): Promise<ExecEnd> {
    const id = (this.#lastId += 1)
    const abort = () => this.#frames.send({ kind: 'abort', id })
    const answer = this.#wait(id, { kind: 'exec', id, command }, stdin, telling.onLine)
    telling.signal.addEventListener('abort', abort, { once: true })
    if (telling.signal.aborted) abort()
    try {
      const said = await answer
      if (said.kind === 'ended') return said.end
      throw new RuntimeFailure(said.kind === 'failed' ? said.message : `the keeper said ${said.kind}`)
    } finally {
      telling.signal.removeEventListener('abort', abort)
    }
  }

  /** Resolves as `Sandbox.take`. */
  async take(name: string, maxBytes: number): Promise<Buffer | null> {
    const id = (this.#lastId += 1)
    let file: Buffer | null = null
    const said = await this.#wait(id, { kind: 'take', id, name, maxBytes }, undefined, undefined, (body) => {
      file = body
    })
    if (said.kind !== 'taken') throw new RuntimeFailure(said.kind === 'failed' ? said.message : said.kind)
    if (said.state === 'too_large') throw new TooLarge(maxBytes)
    return said.state === 'none' ? null : (file ?? Buffer.alloc(0))
  }

  /** Resolves as `Sandbox.keep`. */
  async keep(name: string, key: string): Promise<void> {
    await this.#kept('keep', name, key)
  }

  /** Resolves as `Sandbox.bring`. */
  bring(key: string, name: string): Promise<boolean> {
    return this.#kept('bring', name, key)
  }

  /** Has the keeper remove everything and end. Resolves with what went wrong, `null`: nothing. */
  async close(): Promise<string | null> {
    this.#closing = true
    const said = await this.#wait(closing, { kind: 'close' })
    this.#frames.send({ kind: 'bye' })
    return said.kind === 'closed' ? said.fault : null
  }

  /** Gives the keeper up: everything that waits fails. */
  lose(why: string): void {
    if (this.#fault !== null) return
    this.#fault = new RuntimeFailure(`the sandbox on ${this.#options.engine} was lost: ${why}`)
    clearInterval(this.#timer)
    for (const { reject } of this.#waiting.values()) reject(this.#fault)
    this.#waiting.clear()
    this.#socket.destroy()
  }

  async #kept(kind: 'keep' | 'bring', name: string, key: string): Promise<boolean> {
    const id = (this.#lastId += 1)
    const said = await this.#wait(id, { kind, id, name, key })
    if (said.kind === 'kept') return said.there
    throw new RuntimeFailure(said.kind === 'failed' ? said.message : `the keeper said ${said.kind}`)
  }

  #wait(
    id: number,
    message: ToKeeper,
    body?: Buffer,
    onLine?: (line: OutputLine) => void,
    onBody?: (body: Buffer) => void,
  ): Promise<FromKeeper> {
    if (this.#fault !== null) return Promise.reject(this.#fault)
    return new Promise<FromKeeper>((resolve, reject) => {
      this.#waiting.set(id, {
        resolve: (answer, answerBody) => {
          onBody?.(answerBody)
          resolve(answer)
        },
        reject,
        ...(onLine === undefined ? {} : { onLine }),
      })
      this.#frames.send(message, body)
    })
  }

  #hear(message: FromKeeper, body: Buffer): void {
    this.#heardMs = performance.now()
    switch (message.kind) {
      case 'wanted':
        return this.#wanted?.(message.files)
      case 'opened':
      case 'not_opened':
        return this.#answer(opening, message, body)
      case 'lines':
        return this.#tell(message.id, message.lines)
      case 'ended':
      case 'failed':
      case 'taken':
      case 'kept':
        return this.#answer(message.id, message, body)
      case 'pong':
        return this.#options.onFreeBytes(message.freeBytes)
      case 'closed':
        return this.#answer(closing, message, body)
      default:
        return message satisfies never
    }
  }

  #answer(id: number, message: FromKeeper, body: Buffer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiting?.resolve(message, body)
  }

  #tell(id: number, lines: readonly (readonly [1 | 2, string])[]): void {
    const waiting = this.#waiting.get(id)
    if (waiting?.onLine === undefined) return
    try {
      for (const [stream, text] of lines) waiting.onLine({ stream: stream === 1 ? 'stdout' : 'stderr', text })
    } catch (error) {
      // A listener that throws ends its own command, and no other.
      this.#waiting.set(id, {
        resolve: () => waiting.reject(error as Error),
        reject: () => waiting.reject(error as Error),
      })
      this.#frames.send({ kind: 'abort', id })
    }
  }

  #beat(): void {
    this.#frames.send({ kind: 'ping' })
    const silentMs = performance.now() - this.#heardMs
    if (silentMs > lostMs) return this.lose('it does not answer any more')
    if (silentMs < doubtMs || this.#doubting) return
    this.#doubting = true
    void this.#options.check().then((answers) => {
      this.#doubting = false
      if (!answers) this.lose('the engine does not answer any more')
    })
  }
}
