import type { Network } from '../../model/network.ts'
import type { RepositoryFile } from '../../model/repository-file/repository-file.ts'

/** What set-up may reach: what the repository's file allows for it, and nothing else. */
export function setupNetwork(file: RepositoryFile): Network {
  return hosts([...file.network.allow, ...file.network.setup])
}

/** What the agent may reach: what was asked for with the task, and what the repository's file allows. */
export function agentNetwork(asked: Network, file: RepositoryFile): Network {
  if (asked.kind === 'full') return asked
  const own = asked.kind === 'hosts' ? asked.hosts : []
  return hosts([...own, ...file.network.allow, ...file.network.agent])
}

/** What the checks may reach. */
export function checksNetwork(file: RepositoryFile): Network {
  return hosts([...file.network.allow, ...file.network.checks])
}

function hosts(names: readonly string[]): Network {
  return names.length === 0 ? { kind: 'none' } : { kind: 'hosts', hosts: [...new Set(names)] }
}
