import type { Network } from '../../model/network.ts'
import type { RepositoryFile } from '../../model/repository-file/repository-file.ts'

/** What set-up or checks may reach: what the repository's file allows for them, and nothing else. */
export function networkOf(phase: 'setup' | 'checks', file: RepositoryFile): Network {
  return hosts([...file.network.allow, ...file.network[phase]])
}

/** What the agent may reach: what was asked for with the task, and what the repository's file allows. */
export function agentNetwork(asked: Network, file: RepositoryFile): Network {
  if (asked.kind === 'full') return asked
  const own = asked.kind === 'hosts' ? asked.hosts : []
  return hosts([...own, ...file.network.allow, ...file.network.agent])
}

/** Every host that the file names anywhere. */
export function hostsOf({ network }: RepositoryFile): readonly string[] {
  return [...network.allow, ...network.setup, ...network.agent, ...network.checks]
}

function hosts(names: readonly string[]): Network {
  return names.length === 0 ? { kind: 'none' } : { kind: 'hosts', hosts: [...new Set(names)] }
}
