import { existsSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { EgressProxy } from '../jail/egress-proxy.ts'
import type { OperatorRules } from '../jail/egress-rules.ts'
import { Jail } from '../jail/jail.ts'
import type { JailPrograms, JailSpec } from '../jail/jail-spec.ts'
import { proxyEnvironment, proxyRelay, socketRelays } from '../jail/way-out.ts'
import type { Network } from '../model/network.ts'
import type { Relay } from '../ports/runtime.ts'
import type { Starter } from '../process/start.ts'
import { resolverMount } from './system-mounts.ts'

/** A jail for one kind of network, and what a command in it needs beside its own. */
export interface PreparedJail {
  readonly jail: Jail
  readonly prefix: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export interface JailsOptions {
  readonly programs: JailPrograms
  /** The jail without a network. */
  readonly spec: JailSpec
  /** Folder for files that commands are handed, see {@link Jail}. */
  readonly passing: string
  /** Folder for the sockets of proxies. */
  readonly sockets: string
  readonly operator: OperatorRules
  readonly starter: Starter
  /** Processes that a command may have, to be kept by itself where control groups cannot; `null`: they can. */
  readonly processes: number | null
  readonly onRefused: (why: string) => void
}

/** The jails of one sandbox: one folder, but each of its commands may reach something else. */
export class SandboxJails {
  readonly #options: JailsOptions
  readonly #prepared = new Map<string, Promise<PreparedJail>>()
  readonly #proxies: EgressProxy[] = []
  #sockets = 0

  constructor(options: JailsOptions) {
    this.#options = options
  }

  /** Rejects with the operating system's error where a socket cannot be made. */
  for(network: Network, relays: readonly Relay[]): Promise<PreparedJail> {
    const hosts = network.kind === 'hosts' ? network.hosts.toSorted() : []
    const key = JSON.stringify([network.kind, hosts, relays.map(({ port, socket }) => [port, socket])])
    let prepared = this.#prepared.get(key)
    if (prepared === undefined) {
      prepared = this.#prepare(network, relays)
      this.#prepared.set(key, prepared)
      prepared.catch(() => this.#prepared.delete(key))
    }
    return prepared
  }

  /** Ends the proxies. */
  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()))
  }

  async #prepare(network: Network, relays: readonly Relay[]): Promise<PreparedJail> {
    switch (network.kind) {
      case 'none':
        return this.#jail(this.#options.spec, relays, {})
      case 'full': {
        // The loopback inside is the machine's own, where `openMachinePorts` listens.
        const { spec } = this.#options
        return this.#jail({ ...spec, mounts: [...spec.mounts, ...resolverMount()], network: 'host' }, [], {})
      }
      case 'hosts': {
        const socketPath = join(this.#options.sockets, `proxy-${this.#sockets++}.sock`)
        const { operator, onRefused } = this.#options
        const proxy = await EgressProxy.open({ socketPath, hosts: network.hosts, operator, onRefused })
        this.#proxies.push(proxy)
        return this.#jail(this.#options.spec, [proxyRelay(socketPath), ...relays], proxyEnvironment)
      }
      default:
        return network satisfies never
    }
  }

  #jail(spec: JailSpec, relays: readonly Relay[], env: PreparedJail['env']): PreparedJail {
    const { programs, passing, starter } = this.#options
    const { mounts, prefix } = socketRelays(relays)
    return {
      jail: new Jail(programs, { ...spec, mounts: [...spec.mounts, ...mounts] }, passing, starter),
      prefix: [...(countsPerNamespace() ? this.#countingPrefix() : []), ...prefix],
      env,
    }
  }

  /** Set inside, after the user namespace was made, the limit counts the jail's own processes and no others. */
  #countingPrefix(): string[] {
    const { processes, programs } = this.#options
    const seenInside = programs.prlimit !== null && existsSync(programs.prlimit)
    if (processes === null || programs.prlimit === null || !seenInside) return []
    return [programs.prlimit, `--nproc=${processes}:${processes}`, '--']
  }
}

/** Since Linux 5.14, RLIMIT_NPROC counts a user's processes in each user namespace by themselves. */
function countsPerNamespace(): boolean {
  const [major = 0, minor = 0] = release().split('.').map(Number)
  return major > 5 || (major === 5 && minor >= 14)
}
