import type { Settings } from '../config/settings.ts'
import { createAcpAgent } from '../agents/acp.ts'
import type { CliName } from '../agents/agent-programs.ts'
import { createClaudeAgent } from '../agents/claude.ts'
import { createCodexAgent } from '../agents/codex.ts'
import { createCommandAgent } from '../agents/command.ts'
import { createGeminiAgent } from '../agents/gemini.ts'
import { createOpencodeAgent } from '../agents/opencode.ts'
import type { Mask } from '../core/mask.ts'
import type { AgentName } from '../model/submission.ts'
import type { Agent } from '../ports/agent.ts'
import type { Run } from '../process/spawner.ts'

/** One of every kind, by its name. `hide`: is told of secrets that are found on the way. */
export function allAgents(settings: Settings, run: Run, hide: Mask['hide']): ReadonlyMap<AgentName, Agent> {
  const cli = { path: settings.path, userHome: settings.userHome, run }
  const of = (name: CliName) => ({
    ...cli,
    setting: settings.agentPrograms[name],
    loginFile: settings.agentLogins[name],
    hide,
  })
  return new Map(
    [
      createClaudeAgent(of('claude')),
      createCodexAgent(of('codex')),
      createGeminiAgent(of('gemini')),
      createOpencodeAgent(of('opencode')),
      createAcpAgent(),
      createCommandAgent(),
    ].map((agent) => [agent.name, agent]),
  )
}
