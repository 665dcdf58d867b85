import { timingSafeEqual, createHash } from 'node:crypto'
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { GatewaySession, GatewayStop, GatewayUsage } from '../ports/gateway.ts'
import { listenOnSocket } from '../process/unix-socket.ts'
import { exchange, type Exchange } from './exchange.ts'
import type { Patience } from './patience.ts'
import type { RefusedAnswer, Refusal } from './provider.ts'
import { BadRequest, BodyRoom } from './request-body.ts'
import { Tally } from './tally.ts'

const maxConnections = 64
/** Requests that one agent has under way at once. */
const maxRequests = 32
const maxHeldBytes = 96 * 1024 * 1024
const maxMessageLength = 400
const lookAgainMs = 1000
/** More than usual, so that what is reserved is enough. */
const tokensPerByteAtFirst = 1 / 3

export interface SessionFacts extends Pick<
  Exchange,
  'provider' | 'access' | 'login' | 'hostedTools' | 'upstream' | 'purse' | 'log' | 'mask'
> {
  readonly socket: string
  readonly port: number
  readonly key: string
  readonly account: string
  readonly patience: Patience
  /** A model has answered on this account. */
  readonly onAnswer: () => void
  /** What is in the way from the beginning. */
  readonly stop: GatewayStop | null
}

/** One agent's way to its provider. */
export class Session implements GatewaySession {
  readonly socket: string
  readonly port: number
  readonly key: string
  readonly #facts: SessionFacts
  readonly #shared: Exchange
  readonly #tally = new Tally()
  readonly #server: Server
  readonly #stopping = new AbortController()
  readonly #closing = new AbortController()
  readonly #underWay = new Set<Promise<void>>()
  #stop: GatewayStop | null = null
  #waiting: NodeJS.Timeout | null = null
  #isAway = false
  #closed: Promise<void> | null = null

  /** Resolves when it can be connected to. Rejects with the operating system's error. */
  static async open(facts: SessionFacts): Promise<Session> {
    const session = new Session(facts)
    await listenOnSocket(session.#server, facts.socket)
    // The sandbox's user is another one; only it gets to see the socket.
    chmodSync(facts.socket, 0o666)
    if (facts.stop !== null) session.#stopWith(facts.stop)
    return session
  }

  private constructor(facts: SessionFacts) {
    this.#facts = facts
    this.socket = facts.socket
    this.port = facts.port
    this.key = facts.key
    const { provider, access, login, hostedTools, upstream, purse, log, mask } = facts
    this.#shared = {
      provider,
      access,
      login,
      hostedTools,
      upstream,
      purse,
      log,
      mask,
      room: new BodyRoom(maxHeldBytes),
      tally: this.#tally,
      seen: { tokensPerByte: tokensPerByteAtFirst, answerTokens: 0 },
      stop: (stop) => this.#stopWith(stop),
      answered: () => {
        facts.patience.answered()
        facts.onAnswer()
      },
      refused: (answer) => this.#refused(answer),
    }
    this.#server = createServer({ keepAliveTimeout: 60_000 }, (asked, reply) => {
      const handled = this.#handle(asked, reply)
      this.#underWay.add(handled)
      void handled.finally(() => this.#underWay.delete(handled))
    })
    this.#server.maxConnections = maxConnections
    this.#server.on('clientError', (_error, socket) => socket.destroy())
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  usage(): GatewayUsage {
    return this.#tally.usage()
  }

  stop(): GatewayStop | null {
    return this.#stop
  }

  givenUp(): GatewayStop | null {
    const found = this.#stop === null ? this.#facts.patience.givenUp() : null
    if (found === null) return this.#stop
    const { refusal, delayMs } = found
    return { kind: 'quota', account: this.#facts.account, delayMs, message: this.#cleaned(refusal.message) }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    if (this.#waiting !== null) clearInterval(this.#waiting)
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    await Promise.all(this.#underWay)
    this.#server.closeAllConnections()
    await closed
    rmSync(this.socket, { force: true })
    await this.#facts.purse.settled()
  }

  /** Never rejects. */
  async #handle(asked: IncomingMessage, reply: ServerResponse): Promise<void> {
    const gone = new AbortController()
    reply.once('close', () => {
      if (!reply.writableFinished) gone.abort(new Error('the agent hung up'))
    })
    reply.on('error', () => {})
    try {
      const route = this.#admit(asked)
      if (route === null) {
        reply.end()
        return
      }
      await exchange(this.#shared, route, asked, reply, AbortSignal.any([gone.signal, this.#closing.signal]))
    } catch (error) {
      this.#fail(error, reply, gone.signal)
    }
  }

  /** What a request is for; `null`: whether anybody is there. Throws {@link BadRequest}. */
  #admit(asked: IncomingMessage) {
    const { provider } = this.#facts
    const path = asked.url ?? ''
    if ((asked.method === 'HEAD' || asked.method === 'GET') && path === '/') return null
    if (!this.#hasKey(asked)) throw new BadRequest(401, 'this key is not the one of this sandbox')
    const route = provider.route(asked.method ?? '', path)
    if (route === null) throw new BadRequest(404, `${asked.method} ${path.slice(0, 100)} is not passed on`)
    if (this.#stop !== null) throw new BadRequest(400, stopMessage(this.#stop))
    if (this.#underWay.size >= maxRequests) throw new BadRequest(503, 'too much is being asked at once')
    return route
  }

  #hasKey({ headers, url }: IncomingMessage): boolean {
    const bearer = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1]
    const parameter = /[?&]key=([^&]*)/.exec(url ?? '')?.[1]
    return [headers['x-api-key'], headers['x-goog-api-key'], bearer, parameter].some(
      (key) => typeof key === 'string' && timingSafeEqual(digest(key), digest(this.key)),
    )
  }

  #refused(answer: RefusedAnswer): void {
    const refusal = this.#facts.provider.refusal(answer)
    if (refusal !== null) this.#judge(refusal)
  }

  #judge(refusal: Refusal): void {
    const message = this.#cleaned(refusal.message)
    if (refusal.kind === 'login') return this.#stopWith({ kind: 'login_refused', message })
    const delayMs = this.#facts.patience.refused(refusal, performance.now())
    if (delayMs === null) {
      this.#waiting ??= setInterval(() => this.#lookAgain(), lookAgainMs).unref()
      return
    }
    this.#stopWith({ kind: 'quota', account: this.#facts.account, delayMs, message })
  }

  /** Command lines wait longer and longer before they ask again. */
  #lookAgain(): void {
    const overdue = this.#facts.patience.overdue(performance.now())
    if (overdue !== null && this.#underWay.size === 0) this.#judge(overdue)
  }

  #stopWith(stop: GatewayStop): void {
    if (this.#stop !== null || this.#closing.signal.aborted) return
    this.#stop = stop
    this.#stopping.abort(new Error(stopMessage(stop)))
  }

  /** A provider's words, fit to be stored and shown. */
  #cleaned(message: string): string {
    return this.#facts
      .mask(message)
      .replaceAll(/\p{Cc}+/gu, ' ')
      .slice(0, maxMessageLength)
  }

  #fail(error: unknown, reply: ServerResponse, gone: AbortSignal): void {
    if (gone.aborted || this.#closing.signal.aborted || reply.headersSent) {
      reply.destroy()
      return
    }
    const bad = error instanceof BadRequest ? error : this.#unreachable(error)
    const body = Buffer.from(
      JSON.stringify(this.#facts.provider.error(bad.status, `nightshift: ${bad.message}`)),
    )
    // A body that was not read to its end cannot be followed by another request.
    reply.writeHead(bad.status, {
      'content-type': 'application/json',
      'content-length': body.length,
      connection: 'close',
      ...(bad.status < 500 ? { 'x-should-retry': 'false' } : {}),
    })
    reply.end(body)
  }

  #unreachable(error: unknown): BadRequest {
    const message = this.#facts.mask(error instanceof Error ? error.message : String(error))
    // Said once: an agent asks dozens of times before it gives up.
    if (!this.#isAway) {
      this.#facts.log.warn('a model provider could not be asked', {
        account: this.#facts.account,
        error: message,
      })
    }
    this.#isAway = true
    this.#judge({ kind: 'busy', message: `the provider could not be reached: ${message}`, delayMs: null })
    return new BadRequest(502, 'the provider could not be reached')
  }
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

function stopMessage(stop: GatewayStop): string {
  switch (stop.kind) {
    case 'over_budget':
      return `the spending cap of $${stop.capUsd.toFixed(2)} is reached`
    case 'quota':
      return 'the account has no more to give for now'
    case 'login_refused':
      return 'the provider refused the login of this machine'
    case 'price_unknown':
      return `no price is known for the model ${stop.model}, and there is a spending cap`
    default:
      return stop satisfies never
  }
}
