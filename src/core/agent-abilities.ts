import type { AgentName, RuntimeName } from '../model/submission.ts'
import { providerNames, type ProviderName } from '../model/provider.ts'
import type { Agent } from '../ports/agent.ts'
import type { Problem } from '../ports/runtime.ts'
import type { ProviderAccount } from '../ports/worker.ts'
import type { PipelineParts } from './attempt.ts'

type Parts = Pick<PipelineParts, 'gateway' | 'agents' | 'runtimes'>

/** What keeps an agent from working here: its command line or its login is missing. Throws only where an adapter does. */
export async function agentProblems(
  parts: Pick<Parts, 'gateway'>,
  agent: Agent,
  use: { model: string | null; runtime: RuntimeName },
): Promise<readonly Problem[]> {
  // Elsewhere an image brings the command line.
  const missing = use.runtime === 'local' ? await agent.problems() : []
  if (missing.length > 0 || !agent.needsLogin) return missing
  const found = await Promise.all(
    agent.providers(use.model).map((provider) => parts.gateway.problems(provider)),
  )
  // Where it can talk to several, one login will do.
  return found.some((problems) => problems.length === 0) ? [] : found.flat()
}

/**
 * Which agents work here in at least one runtime, and the logins there are. Never throws: an adapter that fails at being
 * looked at lacks what it needs, so that its tasks are still taken where nobody else can do them, and end with its error.
 */
export async function abilitiesHere(
  parts: Parts,
): Promise<{ agents: AgentName[]; lacking: AgentName[]; accounts: ProviderAccount[] }> {
  const agents: AgentName[] = []
  const lacking: AgentName[] = []
  for (const [name, agent] of parts.agents) {
    if (await works(parts, agent)) agents.push(name)
    else lacking.push(name)
  }
  return { agents, lacking, accounts: providerNames.flatMap((provider) => accountOf(parts, provider)) }
}

async function works(parts: Parts, agent: Agent): Promise<boolean> {
  try {
    const looks = parts.runtimes.map(({ name }) =>
      agentProblems(parts, agent, { model: null, runtime: name }),
    )
    return (await Promise.all(looks)).some((problems) => problems.length === 0)
  } catch {
    return false
  }
}

function accountOf({ gateway }: Parts, provider: ProviderName): ProviderAccount[] {
  try {
    const account = gateway.account(provider)
    return account === null ? [] : [{ provider, account }]
  } catch {
    return []
  }
}
