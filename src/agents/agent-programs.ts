import type { NpmProgram } from '../ports/runtime.ts'
import { findCli } from './cli-search.ts'

/** The command lines that the adapters were tried with. */
export const agentInstalls = {
  claude: { package: '@anthropic-ai/claude-code', version: '2.1.332', bin: 'claude' },
  codex: { package: '@openai/codex', version: '0.169.0', bin: 'codex' },
  gemini: { package: '@google/gemini-cli', version: '0.61.0', bin: 'gemini' },
  opencode: { package: 'opencode-ai', version: '1.18.33', bin: 'opencode' },
} as const satisfies Record<string, NpmProgram>
export type CliName = keyof typeof agentInstalls

/** Where they are on this machine, for a sandbox to see them; those that are not there are left out. */
export function agentProgramPaths(options: {
  readonly agentPrograms: Readonly<Record<CliName, string | null>>
  readonly path: string
  readonly userHome: string
}): string[] {
  const { agentPrograms, path, userHome } = options
  return Object.values(agentInstalls).flatMap(({ bin }) => {
    const found = findCli(bin, { setting: agentPrograms[bin], path, userHome })
    return found === null ? [] : [found]
  })
}
