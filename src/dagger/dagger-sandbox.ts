import { join } from 'node:path'
import { EgressProxy } from '../jail/egress-proxy.ts'
import type { OperatorRules } from '../jail/egress-rules.ts'
import { clonePath, outPath } from '../jail/sandbox-files.ts'
import { proxyRelay } from '../jail/way-out.ts'
import type { Network } from '../model/network.ts'
import type { Log } from '../ports/log.ts'
import {
  RuntimeFailure,
  type Command,
  type ExecEnd,
  type FoundProgram,
  type Relay,
  type Sandbox,
} from '../ports/runtime.ts'
import type { ExpectedCall } from './hub.ts'
import type { KeeperLink } from './keeper-link.ts'
import type { SentCommand } from './protocol.ts'

export interface DaggerSandboxParts {
  readonly taskId: string
  readonly program: FoundProgram | null
  /** The engine, in words. */
  readonly engine: string
  readonly link: KeeperLink
  readonly call: ExpectedCall
  /** Settles when the container has ended. */
  readonly running: Promise<unknown>
  /** Ends the container, whatever it does. */
  readonly kill: () => void
  /** Folder of this machine for the sockets of proxies. */
  readonly sockets: string
  readonly operator: OperatorRules
  readonly log: Log
  readonly onClosed: (sandbox: DaggerSandbox) => void
}

/** How long a container may take to end in order, and then at once. */
const closeMs = 60_000
const killMs = 15_000
/** An aborted command ends within this time, or its container does. */
const abortMs = 30_000
let proxies = 0

/** A sandbox in a container of its own. */
export class DaggerSandbox implements Sandbox {
  readonly clonePath = clonePath
  readonly outPath = outPath
  readonly taskId: string
  readonly program: FoundProgram | null
  readonly #parts: DaggerSandboxParts
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  readonly #proxies = new Map<string, Promise<EgressProxy>>()
  #noteTo: ((text: string) => void) | undefined
  #closed: Promise<void> | null = null

  constructor(parts: DaggerSandboxParts) {
    this.#parts = parts
    this.taskId = parts.taskId
    this.program = parts.program
  }

  async exec(command: Command): Promise<ExecEnd> {
    if (this.#closing.signal.aborted) throw new RuntimeFailure('the sandbox is closed')
    if (command.signal.aborted) {
      return { kind: 'aborted', exitCode: null, durationMs: 0, stdoutTail: '', stderrTail: '' }
    }
    const running = this.#exec(command)
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  take(name: string, maxBytes: number): Promise<Buffer | null> {
    if (this.#closing.signal.aborted) throw new RuntimeFailure('the sandbox is closed')
    return this.#parts.link.take(name, maxBytes)
  }

  /** On the engine: another engine makes its own. */
  keep(name: string, key: string): Promise<void> {
    return this.#parts.link.keep(name, key)
  }

  bring(key: string, name: string): Promise<boolean> {
    return this.#parts.link.bring(key, name)
  }

  /** A closing that failed can be tried again. */
  close(): Promise<void> {
    this.#closed ??= this.#close().catch((error: unknown) => {
      this.#closed = null
      throw error
    })
    return this.#closed
  }

  async #exec(command: Command): Promise<ExecEnd> {
    this.#noteTo = command.onNote
    const { link, kill } = this.#parts
    const relays = [...(await this.#wayOut(command.network)), ...(command.relays ?? [])]
    const { argv, env, timeoutMs, silenceMs, onLine, stdin } = command
    const sent: SentCommand = {
      argv,
      env,
      timeoutMs,
      ...(silenceMs === undefined ? {} : { silenceMs }),
      network: command.network.kind === 'hosts' ? 'proxy' : command.network.kind,
      relays: relays.map(({ port, socket }) => ({ port, relay: this.#parts.call.relayTo(socket) })),
      stdin: stdin !== undefined,
    }
    const signal = AbortSignal.any([command.signal, this.#closing.signal])
    let patience: NodeJS.Timeout | null = null
    const onAbort = () => {
      patience = setTimeout(() => {
        kill()
        link.lose('a command in it did not end')
      }, abortMs)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await link.exec(sent, stdin, { signal, ...(onLine === undefined ? {} : { onLine }) })
    } finally {
      signal.removeEventListener('abort', onAbort)
      if (patience !== null) clearTimeout(patience)
    }
  }

  /** The egress proxy stands beside the scheduler, as that of local sandboxes: the same names, the same rules. */
  async #wayOut(network: Network): Promise<Relay[]> {
    if (network.kind !== 'hosts') return []
    const key = network.hosts.toSorted().join(' ')
    const socketPath = join(this.#parts.sockets, `proxy-${(proxies += 1)}.sock`)
    const opening = this.#proxies.get(key) ?? this.#openProxy(socketPath, network.hosts)
    this.#proxies.set(key, opening)
    const proxy = await opening.catch((error: unknown) => {
      this.#proxies.delete(key)
      throw new RuntimeFailure(`the way out of a sandbox could not be opened: ${String(error)}`, {
        cause: error,
      })
    })
    return [proxyRelay(proxy.socketPath)]
  }

  #openProxy(socketPath: string, hosts: readonly string[]): Promise<EgressProxy> {
    const { operator, log, taskId } = this.#parts
    return EgressProxy.open({
      socketPath,
      hosts,
      operator,
      onRefused: (why) => {
        log.info('a sandbox asked for a host that it may not reach', { taskId, why })
        this.#noteTo?.(why)
      },
    })
  }

  async #close(): Promise<void> {
    const { link, running, kill, call, engine } = this.#parts
    this.#closing.abort()
    await Promise.allSettled(this.#running)
    const fault = await settledWithin(
      closeMs,
      link.close().catch(() => null),
    )
    // What ran has ended, its files are removed, and its keeper goes: an engine takes 0.15 s more to tidy up behind it. A
    // container that does not end by itself is ended.
    const inOrder = fault === null && !link.isLost
    const ended = inOrder ? link.ended : running.catch(() => {})
    if ((await settledWithin(killMs, ended)) === 'late') {
      kill()
      link.lose('it was ended')
      if (
        (await settledWithin(
          killMs,
          running.catch(() => {}),
        )) === 'late'
      ) {
        throw new RuntimeFailure(`a container on ${engine} could not be ended`)
      }
    }
    call.forget()
    await Promise.allSettled([...this.#proxies.values()].map(async (proxy) => (await proxy).close()))
    this.#parts.onClosed(this)
    if (typeof fault === 'string' && fault !== 'late') {
      throw new RuntimeFailure(`a sandbox on ${engine} could not be removed: ${fault}`)
    }
  }
}

/** What the work resolves with, or `late`. */
export async function settledWithin<T>(ms: number, work: Promise<T>): Promise<T | 'late'> {
  const over = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => over.resolve('late'), ms)
  try {
    return await Promise.race([work, over.promise])
  } finally {
    clearTimeout(timer)
  }
}
