import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { defaultEngineSlots, parseEngines, type EngineAddress } from '../model/engine-address.ts'
import { passThroughNames, pick, type Environment } from './environment.ts'
import { ConfigurationError, type DaggerSettings } from './settings.ts'

/** What the dagger CLI needs of the environment: its own settings, and those of docker, by which it can start an engine. */
const daggerNames =
  /^(?:PATH|HOME|XDG_\w+|DO_NOT_TRACK|DAGGER_(?!SESSION)\w+|_EXPERIMENTAL_DAGGER_\w+|DOCKER_\w+)$/

/**
 * Which engines there are, of the variables and of the whole environment; `null`: none, and none could be started.
 * Throws {@link ConfigurationError}.
 */
export function daggerSettings(env: Environment, given: NodeJS.ProcessEnv): DaggerSettings | null {
  const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = env
  const session = port === undefined || token === undefined ? null : { port, token }
  const named = env.NIGHTSHIFT_ENGINES ?? env['_EXPERIMENTAL_DAGGER_RUNNER_HOST']
  const cli = env['_EXPERIMENTAL_DAGGER_CLI_BIN'] ?? 'dagger'
  // Without a name, the CLI starts an engine by itself where there is docker; that takes a while, so only when asked to.
  const startable = ['dagger', 'docker'].every((program) => isOnPath(program, env.PATH))
  if (session === null && named === undefined && !startable) return null
  const own = { address: null, slots: defaultEngineSlots }
  return {
    cli,
    engines: session !== null || named === undefined ? [own] : enginesOf(env.NIGHTSHIFT_ENGINES, named),
    named: session !== null || named !== undefined,
    session,
    image: env.NIGHTSHIFT_IMAGE,
    launcherImage: env.NIGHTSHIFT_LAUNCHER ?? null,
    spares: env.NIGHTSHIFT_SPARES,
    env: { ...pick(given, daggerNames), ...pick(given, passThroughNames) },
  }
}

function enginesOf(list: string | undefined, named: string): EngineAddress[] {
  try {
    return list === undefined ? [{ address: named, slots: defaultEngineSlots }] : parseEngines(list)
  } catch (error) {
    throw new ConfigurationError(
      `NIGHTSHIFT_ENGINES: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

function isOnPath(program: string, path: string): boolean {
  return path.split(':').some((folder) => folder !== '' && existsSync(join(folder, program)))
}
