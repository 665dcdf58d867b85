import type { Network } from '../../model/network.ts'
import { reachable } from '../../model/repository-file/network-section.ts'
import type { RepositoryFile } from '../../model/repository-file/repository-file.ts'
import type { PipelineParts } from '../attempt.ts'
import { Stop } from '../reasons.ts'

/** What each phase may reach, beyond the agent's own wishes: the repository's file, its registries as hosts. */
export interface PhaseHosts {
  readonly setup: readonly string[]
  readonly agent: readonly string[]
  readonly checks: readonly string[]
}

/**
 * Turns what the file names into hosts, and asks whether the operator allows them. A registry whose tool does not say
 * where it fetches from is told before anything runs.
 */
export async function hostsOfPhases(
  parts: Pick<PipelineParts, 'refusedHost' | 'registries'>,
  file: RepositoryFile,
): Promise<PhaseHosts> {
  const hostsOf = async (phase: keyof PhaseHosts) => {
    const { registries, hosts } = reachable(file.network, phase)
    const found = [...hosts]
    for (const name of registries) {
      const own = await parts.registries(name)
      if (own === null) {
        const message = `${name} does not say on this machine which hosts it is configured for: name them instead`
        throw new Stop({ kind: 'host_refused', message })
      }
      found.push(...own)
    }
    for (const host of found) {
      const why = parts.refusedHost(host)
      if (why !== null) throw new Stop({ kind: 'host_refused', message: why })
    }
    return found
  }
  return { setup: await hostsOf('setup'), agent: await hostsOf('agent'), checks: await hostsOf('checks') }
}

/** A network of these hosts, or none. */
export function networkOf(hosts: readonly string[]): Network {
  return hosts.length === 0 ? { kind: 'none' } : { kind: 'hosts', hosts: [...new Set(hosts)] }
}

/** What was asked for, and these hosts. */
export function addHosts(asked: Network, hosts: readonly string[]): Network {
  if (asked.kind === 'full') return asked
  return networkOf(asked.kind === 'hosts' ? [...asked.hosts, ...hosts] : hosts)
}
