import { isIP, type BlockList } from 'node:net'
import { inRange, isPublic, parseRange } from './address.ts'

/** A host as it is asked for: a name or an address, lower case, without brackets and without a dot at the end. */
export interface Destination {
  readonly host: string
  readonly port: number
}

/** One entry of a list of hosts. `port` is `null` where none was given: 80 and 443. */
interface HostRule {
  readonly host: string
  /** `*.example.org`: what ends in .example.org. */
  readonly wildcard: boolean
  readonly port: number | null
}

/** The ports of an entry that names none. */
export const usualPorts = [80, 443]

/** What the operator lets sandboxes reach, from `NIGHTSHIFT_NETWORK`. */
export class OperatorRules {
  readonly #everything: boolean
  readonly #hosts: readonly HostRule[]
  readonly #ranges: readonly BlockList[]

  constructor(setting: readonly string[]) {
    this.#everything = setting.includes('*')
    const ranges = setting.map(parseRange)
    this.#ranges = ranges.filter((range) => range !== null)
    this.#hosts = setting.filter((entry, index) => entry !== '*' && ranges[index] === null).map(parseHost)
  }

  /** Why a name may not be asked for at all; `null`: its addresses decide. */
  refusesName(to: Destination): string | null {
    if (this.#everything || this.#ranges.length > 0 || this.#names(to)) return null
    return `${show(to)} is not among the hosts that the operator allows: add it to NIGHTSHIFT_NETWORK`
  }

  /** Why an address that the name stands for may not be connected to; `null`: it may. */
  refusesAddress(to: Destination, address: string): string | null {
    if (this.#ranges.some((range) => inRange(range, address))) return null
    if (isPublic(address)) {
      if (this.#everything || this.#names(to)) return null
      return `${show(to)} is not among the hosts that the operator allows: add it to NIGHTSHIFT_NETWORK`
    }
    if (this.#hosts.some((rule) => rule.port !== null && matches(rule, to))) return null
    return (
      `${show(to)} is on a private network or this machine (${address}), which sandboxes may not reach: ` +
      `to allow it, the operator adds ${show(to)} to NIGHTSHIFT_NETWORK`
    )
  }

  #names(to: Destination): boolean {
    return this.#hosts.some((rule) => matches(rule, to))
  }
}

/** Whether one of these entries, as a task or a repository names them, stands for this destination. */
export function isListed(hosts: readonly string[], to: Destination): boolean {
  return hosts.some((host) => matches(parseHost(host), to))
}

/** Reads `host`, `*.host`, `host:port`, `address:port` and `[address]:port`. */
export function parseHost(text: string): HostRule {
  const [, bracketed, plain = '', digits] = /^(?:\[([^\]]*)\]|(.*?))(?::(\d+))?$/.exec(text) ?? []
  // An IPv6 address without brackets has colons of its own.
  const whole = bracketed ?? (isIP(text) === 6 ? text : plain)
  const wildcard = whole.startsWith('*.')
  const host = normalHost(wildcard ? whole.slice(2) : whole)
  return { host, wildcard, port: digits === undefined || isIP(text) === 6 ? null : Number(digits) }
}

/** One way to write a host: lower case, no brackets, no dot at the end. */
export function normalHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
}

/** A destination as people write it. */
export function show(to: Destination): string {
  return `${isIP(to.host) === 6 ? `[${to.host}]` : to.host}:${to.port}`
}

function matches(rule: HostRule, to: Destination): boolean {
  if (rule.port === null ? !usualPorts.includes(to.port) : rule.port !== to.port) return false
  return rule.wildcard ? to.host.endsWith(`.${rule.host}`) : to.host === rule.host
}
