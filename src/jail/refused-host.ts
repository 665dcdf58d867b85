import { isIP } from 'node:net'
import { OperatorRules, parseHost, usualPorts } from './egress-rules.ts'

/**
 * Says why a host may not be asked for under the operator's setting, as a sentence; `null`: it may. Asks no network:
 * what a name turns out to stand for is judged again when it is used.
 */
export function refusedHost(setting: readonly string[]): (host: string) => string | null {
  const rules = new OperatorRules(setting)
  return (text) => {
    const rule = parseHost(text)
    const ports = rule.port === null ? usualPorts : [rule.port]
    const refusals = ports.map((port) => {
      const to = { host: rule.wildcard ? `any.${rule.host}` : rule.host, port }
      const address = knownAddress(to.host)
      return address === null ? rules.refusesName(to) : rules.refusesAddress(to, address)
    })
    return refusals.includes(null) ? null : (refusals[0]?.replaceAll('any.', '*.') ?? null)
  }
}

/** The address that a host stands for without asking anybody. */
function knownAddress(host: string): string | null {
  if (isIP(host) !== 0) return host
  return host === 'localhost' || host.endsWith('.localhost') ? '127.0.0.1' : null
}
