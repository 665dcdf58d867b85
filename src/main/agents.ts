import type { Settings } from '../config/settings.ts'
import { createAcpAgent } from '../agents/acp.ts'
import { createClaudeAgent } from '../agents/claude.ts'
import { createCodexAgent } from '../agents/codex.ts'
import { createCommandAgent } from '../agents/command.ts'
import { createGeminiAgent } from '../agents/gemini.ts'
import { createOpencodeAgent } from '../agents/opencode.ts'
import type { AgentName } from '../model/submission.ts'
import type { Agent } from '../ports/agent.ts'
import type { Run } from '../process/spawner.ts'

/** One of every kind, by its name. */
export function allAgents(settings: Settings, run: Run): ReadonlyMap<AgentName, Agent> {
  const cli = { path: settings.path, userHome: settings.userHome, run }
  const { claude, codex, gemini, opencode } = settings.agentPrograms
  return new Map(
    [
      createClaudeAgent({ ...cli, setting: claude }),
      createCodexAgent({ ...cli, setting: codex }),
      createGeminiAgent({ ...cli, setting: gemini }),
      createOpencodeAgent({ ...cli, setting: opencode }),
      createAcpAgent(),
      createCommandAgent(),
    ].map((agent) => [agent.name, agent]),
  )
}
