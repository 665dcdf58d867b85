import type { AgentName } from '../../model/submission.ts'
import type { Agent, AgentLogin, ModelWay } from '../../ports/agent.ts'
import type { GatewaySession, GatewayStop, GatewayUsage, ProviderName } from '../../ports/gateway.ts'
import type { Network } from '../../model/network.ts'
import type { Relay } from '../../ports/runtime.ts'
import type { ClaimedTask } from '../../ports/lease.ts'
import type { Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'
import { addHosts } from './network.ts'

/** The model that was asked for, where it was asked of this agent: another one that reviews has its own. */
export function modelFor({ task, options }: ClaimedTask, agent: Agent): string | null {
  return task.agent === agent.name ? options.model : null
}

interface OpenWay {
  readonly provider: ProviderName
  readonly session: GatewaySession
}

interface HomeFile {
  readonly path: string
  readonly content: string
}

/** The agent's ways to its providers, for all rounds of one attempt. */
export class AgentAccess {
  readonly #ways: readonly OpenWay[]
  readonly #hosts: readonly string[]
  /** Its own login, until it lies in the sandbox: from then on its command line keeps it. */
  #login: HomeFile | null

  private constructor(ways: readonly OpenWay[], own: { login: HomeFile; hosts: readonly string[] } | null) {
    this.#ways = ways
    this.#hosts = own?.hosts ?? []
    this.#login = own?.login ?? null
  }

  /** Throws {@link Stop} where its own login cannot be used; rejects otherwise where the machine is at fault. */
  static async open(attempt: Attempt, agent: Agent): Promise<AgentAccess> {
    const { claimed, parts } = attempt
    if (agent.ownLogin !== null) {
      return new AgentAccess([], await openOwnLogin(attempt, agent.name, agent.ownLogin))
    }
    const { maxCostUsd, network } = claimed.options
    const model = modelFor(claimed, agent)
    const ways: OpenWay[] = []
    try {
      for (const provider of agent.providers(model)) {
        if (parts.gateway.account(provider) === null) continue
        const session = await parts.gateway.open({
          lease: claimed.lease,
          provider,
          model,
          capUsd: maxCostUsd,
          budgets: claimed.budgets,
          // They fetch from everywhere, whatever hosts the task may reach.
          hostedTools: network.kind === 'full',
        })
        ways.push({ provider, session })
      }
    } catch (error) {
      await Promise.allSettled(ways.map(({ session }) => session.close()))
      throw error
    }
    return new AgentAccess(ways, null)
  }

  get ways(): readonly ModelWay[] {
    return this.#ways.map(({ provider, session }) => ({
      provider,
      origin: `http://127.0.0.1:${session.port}`,
      key: session.key,
    }))
  }

  get relays(): readonly Relay[] {
    return this.#ways.map(({ session: { port, socket } }) => ({ port, socket }))
  }

  /** What is to lie in its home before it starts; once. */
  takeFiles(): readonly HomeFile[] {
    const files = this.#login === null ? [] : [this.#login]
    this.#login = null
    return files
  }

  /** This network, and whom its own login is for. */
  widen(network: Network): Network {
    return addHosts(network, this.#hosts)
  }

  /** Aborts when the agent can get no further. */
  get stopping(): readonly AbortSignal[] {
    return this.#ways.map(({ session }) => session.stopping)
  }

  /** Why the agent can get no further; `null`: nothing is in its way. */
  stop(): GatewayStop | null {
    return this.#ways.map(({ session }) => session.stop()).find((stop) => stop !== null) ?? null
  }

  /** Why an agent that ended badly by itself did; `null`: nothing was in its way. */
  givenUp(): GatewayStop | null {
    return this.#ways.map(({ session }) => session.givenUp()).find((stop) => stop !== null) ?? null
  }

  /** What this attempt has used; `null`: nobody counts. */
  usage(): GatewayUsage | null {
    const all = this.#ways.map(({ session }) => session.usage())
    if (all.length === 0) return null
    const sum = (of: (usage: GatewayUsage) => number) => all.reduce((total, usage) => total + of(usage), 0)
    return {
      requests: sum((usage) => usage.requests),
      inputTokens: sum((usage) => usage.inputTokens),
      outputTokens: sum((usage) => usage.outputTokens),
      costUsd: all.some((usage) => usage.costUsd === null) ? null : sum((usage) => usage.costUsd ?? 0),
      models: [...new Set(all.flatMap((usage) => usage.models))],
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#ways.map(({ session }) => session.close()))
  }
}

/** Around the gateway, nobody counts before it is spent: a cap could not be kept. */
async function openOwnLogin(
  { claimed, parts }: Attempt,
  agent: AgentName,
  { path, hosts, read }: AgentLogin,
): Promise<{ login: HomeFile; hosts: readonly string[] }> {
  const unusable = (how: string) => new Stop({ kind: 'agent_unusable', agent, how })
  const caps = [claimed.options.maxCostUsd, ...claimed.budgets.map(({ capUsd }) => capUsd)]
  if (caps.some((cap) => cap !== null)) {
    throw unusable(
      'it has its own login, with which no cap on money can be kept; give it a key, or leave out the cap',
    )
  }
  const refused = hosts.map((host) => parts.refusedHost(host)).find((why) => why !== null)
  if (refused !== undefined) throw unusable(`its own login is for a host that it may not reach: ${refused}`)
  try {
    return { login: { path, content: await read() }, hosts }
  } catch (error) {
    throw unusable(`its own login cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
