import { existsSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDaggerRuntime, type DaggerRuntime } from '../../src/dagger/dagger-runtime.ts'
import { Engine } from '../../src/dagger/engine.ts'
import { launcherFolder } from '../../src/dagger/launcher-files.ts'
import type { EngineAddress } from '../../src/model/engine-address.ts'
import type { Log } from '../../src/ports/log.ts'
import { makeMirror, specOf, type PlaceOptions, type RuntimePlace } from '../runtime-contract/place.ts'
import { quiet } from '../support/quiet.ts'
import { removeFolder } from '../support/repositories.ts'

const environment = process.env
const path = environment['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'

/** The engine that the environment names. */
export const engineHost = environment['_EXPERIMENTAL_DAGGER_RUNNER_HOST'] ?? null
export const daggerCli = environment['_EXPERIMENTAL_DAGGER_CLI_BIN'] ?? 'dagger'
/** An image with git, curl, perl and Python that the engine can have. */
export const image = environment['NIGHTSHIFT_IMAGE'] ?? 'node:24-bookworm'
/** One that its registry does not have. */
export const absentImage = image.replace(/[^/]*$/, 'nightshift-no-such-image:1')
/** Environment of a dagger CLI. */
export const cliEnvironment: Readonly<Record<string, string>> = Object.fromEntries(
  ['PATH', 'HOME', 'DO_NOT_TRACK', 'XDG_CACHE_HOME'].flatMap((name) => {
    const value = environment[name]
    return value === undefined ? [] : [[name, value]]
  }),
)

/** The launcher is shared, since it is large. */
const launcherHome = join(tmpdir(), 'nightshift-dagger-launcher')

/** Why no engine can be tried; `null`: one is named, or can be started. `npm run test:dagger` wants one to be there. */
export const noEngine: string | null = await (async () => {
  const why = await whyNot()
  if (why !== null && environment['NIGHTSHIFT_NEEDS_ENGINE'] === '1')
    throw new Error(`no Dagger engine: ${why}`)
  return why
})()

async function whyNot(): Promise<string | null> {
  const startable = ['dagger', 'docker'].every((program) => isThere(program))
  if (engineHost === null && !startable) {
    return 'no engine is named in _EXPERIMENTAL_DAGGER_RUNNER_HOST, and there is no dagger CLI with docker'
  }
  const place = await makePlace({})
  try {
    const [problem] = await place.runtime.problems()
    return problem === undefined ? null : problem.what
  } finally {
    await place.close()
  }
}

function isThere(program: string): boolean {
  return path.split(':').some((folder) => existsSync(join(folder, program)))
}

export interface DaggerPlace extends RuntimePlace {
  readonly runtime: DaggerRuntime
  readonly home: string
}

/** The engine of these tests, without a runtime around it. */
export function engineOf({ socketPath, token }: { socketPath: string; token: string }): Engine {
  const workbench = async () => ({
    launcher: { folder: await launcherFolder(launcherHome) },
    socketPath,
    token,
  })
  const address = { address: engineHost, slots: 1 }
  const facts = { cli: daggerCli, env: cliEnvironment, session: null, minFreeBytes: 0, log: quiet }
  return new Engine(address, { ...facts, workbench })
}

/** A runtime on the engine of these tests, or on others. */
export async function makePlace(
  options: PlaceOptions & {
    engines?: readonly EngineAddress[]
    image?: string
    log?: Log
    cli?: string
    newLife?: () => string
    minFreeBytes?: number
    spares?: number
  },
): Promise<DaggerPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-dagger-'))
  const repository = await makeMirror(join(folder, 'repository.git'), options.files)
  const runtime = createDaggerRuntime({
    home: launcherHome,
    cli: options.cli ?? daggerCli,
    engines: options.engines ?? [{ address: engineHost, slots: 16 }],
    session: null,
    image: options.image ?? image,
    launcherImage: null,
    env: cliEnvironment,
    author: { name: 'Test', email: 'test@example.org' },
    network: options.network ?? ['*'],
    minFreeBytes: options.minFreeBytes ?? 64 * 1024 * 1024,
    spares: options.spares ?? 2,
    log: options.log ?? quiet,
    ...(options.newLife === undefined ? {} : { newLife: options.newLife }),
  })
  return {
    runtime,
    folder,
    home: launcherHome,
    repository,
    open: (facts = {}) =>
      runtime.open(specOf(repository, facts), facts.signal ?? new AbortController().signal),
    close: async () => {
      await runtime.close()
      await removeFolder(folder)
    },
  }
}
