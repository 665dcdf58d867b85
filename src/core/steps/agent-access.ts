import type { Agent, ModelWay } from '../../ports/agent.ts'
import type { GatewaySession, GatewayStop, GatewayUsage, ProviderName } from '../../ports/gateway.ts'
import type { Relay } from '../../ports/runtime.ts'
import type { ClaimedTask } from '../../ports/lease.ts'
import type { Attempt } from '../attempt.ts'

/** The model that was asked for, where it was asked of this agent: another one that reviews has its own. */
export function modelFor({ task, options }: ClaimedTask, agent: Agent): string | null {
  return task.agent === agent.name ? options.model : null
}

interface OpenWay {
  readonly provider: ProviderName
  readonly session: GatewaySession
}

/** The agent's ways to its providers, for all rounds of one attempt. */
export class AgentAccess {
  readonly #ways: readonly OpenWay[]

  private constructor(ways: readonly OpenWay[]) {
    this.#ways = ways
  }

  /** Rejects where the machine is at fault. */
  static async open({ claimed, parts }: Attempt, agent: Agent): Promise<AgentAccess> {
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
    return new AgentAccess(ways)
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

  /** Aborts when the agent can get no further. */
  get stopping(): readonly AbortSignal[] {
    return this.#ways.map(({ session }) => session.stopping)
  }

  /** Why the agent can get no further; `null`: nothing is in its way. */
  stop(): GatewayStop | null {
    return this.#ways.map(({ session }) => session.stop()).find((stop) => stop !== null) ?? null
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
