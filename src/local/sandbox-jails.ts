import { existsSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { EgressProxy } from '../jail/egress-proxy.ts'
import type { OperatorRules } from '../jail/egress-rules.ts'
import { Jail } from '../jail/jail.ts'
import type { JailPrograms, JailSpec } from '../jail/jail-spec.ts'
import { wayOut } from '../jail/way-out.ts'
import type { Network } from '../model/network.ts'
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
  for(network: Network): Promise<PreparedJail> {
    const key = network.kind === 'hosts' ? `hosts ${network.hosts.toSorted().join(' ')}` : network.kind
    let prepared = this.#prepared.get(key)
    if (prepared === undefined) {
      prepared = this.#prepare(network)
      this.#prepared.set(key, prepared)
      prepared.catch(() => this.#prepared.delete(key))
    }
    return prepared
  }

  /** Ends the proxies. */
  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()))
  }

  async #prepare(network: Network): Promise<PreparedJail> {
    const { programs, spec, passing, starter } = this.#options
    const jailOf = (described: JailSpec) => new Jail(programs, described, passing, starter)
    const prefix = countsPerNamespace() ? this.#countingPrefix() : []
    switch (network.kind) {
      case 'none':
        return { jail: jailOf(spec), prefix, env: {} }
      case 'full': {
        const mounts = [...spec.mounts, ...resolverMount()]
        return { jail: jailOf({ ...spec, mounts, network: 'host' }), prefix, env: {} }
      }
      case 'hosts': {
        const socketPath = join(this.#options.sockets, `proxy-${this.#sockets++}.sock`)
        const { operator, onRefused } = this.#options
        const proxy = await EgressProxy.open({ socketPath, hosts: network.hosts, operator, onRefused })
        this.#proxies.push(proxy)
        const out = wayOut(socketPath)
        const mounts = [...spec.mounts, ...out.mounts]
        const jail = jailOf({ ...spec, mounts })
        return { jail, prefix: [...prefix, ...out.prefix], env: out.env }
      }
      default:
        return network satisfies never
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
