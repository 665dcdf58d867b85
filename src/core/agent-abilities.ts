import type { AgentName, RuntimeName } from '../model/submission.ts'
import { providerNames } from '../model/provider.ts'
import type { Agent } from '../ports/agent.ts'
import type { Problem } from '../ports/runtime.ts'
import type { ProviderAccount } from '../ports/worker.ts'
import type { PipelineParts } from './attempt.ts'

type Parts = Pick<PipelineParts, 'gateway' | 'agents' | 'runtimes'>

/** What keeps an agent from working here: its command line or its login is missing. Never throws. */
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

/** Which agents work here in at least one runtime, and the logins there are. */
export async function abilitiesHere(
  parts: Parts,
): Promise<{ agents: AgentName[]; lacking: AgentName[]; accounts: ProviderAccount[] }> {
  const agents: AgentName[] = []
  const lacking: AgentName[] = []
  for (const [name, agent] of parts.agents) {
    const found = await Promise.all(
      parts.runtimes.map((runtime) => agentProblems(parts, agent, { model: null, runtime: runtime.name })),
    )
    if (found.some((problems) => problems.length === 0)) agents.push(name)
    else lacking.push(name)
  }
  const accounts = providerNames.flatMap((provider) => {
    const account = parts.gateway.account(provider)
    return account === null ? [] : [{ provider, account }]
  })
  return { agents, lacking, accounts }
}
