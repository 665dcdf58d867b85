import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { RuntimeFailure } from '../ports/runtime.ts'
import type { SessionAddress } from './graphql.ts'

export interface SessionOptions {
  /** The dagger CLI. */
  readonly cli: string
  /** `null`: the one that the CLI starts by itself. */
  readonly address: string | null
  /** What the CLI may know of our environment. */
  readonly env: Readonly<Record<string, string>>
}

/** A session with an engine: its containers, and whoever waits for them, end with it. */
export interface Session extends SessionAddress {
  /** Resolves with why, when it has ended by itself. */
  readonly lost: Promise<string>
  close(): Promise<void>
}

const reachMs = 5_000
const openMs = 30_000
/** An engine that the CLI has to start may have to be fetched before. */
const startMs = 300_000
const closeMs = 3_000

/** Opens a session. Rejects with {@link RuntimeFailure}, soon, where no engine answers; or with the signal's reason. */
export async function openSession(options: SessionOptions, signal: AbortSignal): Promise<Session> {
  await reach(options.address)
  const child = start(options)
  const said = keepTail(child)
  const lost = Promise.withResolvers<string>()
  child.once('error', (error) => lost.resolve(`${options.cli} cannot be run: ${error.message}`))
  child.once('exit', () => lost.resolve(said() === '' ? 'its session has ended' : said()))
  const limitMs = options.address === null ? startMs : openMs
  const waiting = new AbortController()
  const stop = AbortSignal.any([signal, AbortSignal.timeout(limitMs), waiting.signal])
  try {
    const address = await Promise.race([
      parameters(child),
      lost.promise.then((why) => Promise.reject(new RuntimeFailure(why))),
      once(stop, 'abort').then(() => Promise.reject(stop.reason)),
    ])
    return { ...address, lost: lost.promise, close: () => end(child) }
  } catch (error) {
    await end(child)
    signal.throwIfAborted()
    if (error instanceof RuntimeFailure) throw error
    throw new RuntimeFailure(`the engine does not answer within ${limitMs / 1000} s: ${said()}`, {
      cause: error,
    })
  } finally {
    waiting.abort()
  }
}

/** The session that Dagger gave to this process, which ends when Dagger says so. */
export function givenSession(address: SessionAddress): Session {
  return { ...address, lost: new Promise(() => {}), close: () => Promise.resolve() }
}

/** The session would try for minutes to reach an engine that is not there. */
async function reach(address: string | null): Promise<void> {
  const target = address === null ? null : socketOf(address)
  if (target === null) return
  const socket = connect(target)
  socket.setTimeout(reachMs, () => socket.destroy(new Error(`no answer within ${reachMs / 1000} s`)))
  try {
    await once(socket, 'connect')
  } catch (error) {
    throw new RuntimeFailure(`cannot be reached: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  } finally {
    socket.destroy()
  }
}

function socketOf(address: string): { path: string } | { host: string; port: number } | null {
  if (address.startsWith('unix://')) return { path: address.slice('unix://'.length) }
  const url = URL.parse(address)
  if (url?.protocol !== 'tcp:' || url.port === '') return null
  return { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(url.port) }
}

function start({ cli, address, env }: SessionOptions): ChildProcess {
  return spawn(cli, ['session', '--label', 'dagger.io/sdk.name:nodejs'], {
    env: { ...env, ...(address === null ? {} : { _EXPERIMENTAL_DAGGER_RUNNER_HOST: address }) },
    // Not in our group: Ctrl-C must leave us time to end in order. It ends when its stdin does, so with us at the latest.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

async function parameters(child: ChildProcess): Promise<SessionAddress> {
  if (child.stdout === null) throw new RuntimeFailure('the session has no output')
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as { port?: unknown; session_token?: unknown }
    if (typeof said.port !== 'number' || typeof said.session_token !== 'string') {
      throw new RuntimeFailure(`the session said something unknown: ${line.slice(0, 200)}`)
    }
    // What it says later is of no use, but must not fill the pipe.
    child.stdout.resume()
    return { port: said.port, token: said.session_token }
  }
  // Its end tells why.
  return new Promise(() => {})
}

function keepTail(child: ChildProcess): () => string {
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  child.stdin?.on('error', () => {})
  return () => said.trim().split('\n').slice(-3).join(' | ')
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  child.stdin?.end()
  child.kill('SIGTERM')
  // After its engine was lost, it ignores that.
  const timer = setTimeout(() => child.kill('SIGKILL'), closeMs)
  await ended
  clearTimeout(timer)
}
