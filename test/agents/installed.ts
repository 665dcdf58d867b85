import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const folder = join(
  process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
  'nightshift/agent-clis/node_modules/.bin',
)

export const cliNames = ['claude', 'codex', 'gemini', 'opencode'] as const
export type CliName = (typeof cliNames)[number]

/** Why tests with the real command lines cannot run here; `null`: they can. */
export const notInstalled: string | null = cliNames.every((name) => existsSync(join(folder, name)))
  ? null
  : 'the command lines of the agents are not installed: npm run test:agents'

/** Settings of Nightshift by which it finds them. */
export const cliSettings: Readonly<Record<string, string>> = Object.fromEntries(
  cliNames.map((name) => [`NIGHTSHIFT_${name.toUpperCase()}_BIN`, join(folder, name)]),
)

/** Models that the stand-in answers for, as each command line has to be told them; `null`: its own choice. */
export const cliModels: Readonly<Record<CliName, string | null>> = {
  claude: null,
  // Newer ones take their tools in a form that the stand-in does not speak.
  codex: 'gpt-5.1-codex',
  gemini: null,
  opencode: 'anthropic/claude-sonnet-4-5',
}
