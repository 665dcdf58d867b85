import { randomBytes } from 'node:crypto'
import { OperatorRules } from '../jail/egress-rules.ts'
import type { Log } from '../ports/log.ts'
import {
  RuntimeFailure,
  type Problem,
  type Runtime,
  type Sandbox,
  type SandboxSpec,
} from '../ports/runtime.ts'
import type { DaggerSandbox } from './dagger-sandbox.ts'
import { Engine, newLife } from './engine.ts'
import { Engines } from './engines.ts'
import type { EngineAddress } from '../model/engine-address.ts'
import type { SessionAddress } from './graphql.ts'
import { Hub } from './hub.ts'
import { launcherFolder } from './launcher-files.ts'
import { openDaggerSandbox, type SandboxMaker } from './open-sandbox.ts'
import { PackFeed } from './pack-feed.ts'
import { Spares } from './spares.ts'
import { startKeeper, type StartedKeeper, type WantedKeeper } from './start-keeper.ts'

export interface DaggerRuntimeOptions {
  /** The launcher's files lie under `<home>/dagger`. */
  readonly home: string
  /** The dagger CLI: its path, or a name on `env`'s PATH. */
  readonly cli: string
  readonly engines: readonly EngineAddress[]
  /** The session that Dagger itself gave to this process; `null`: each engine's is opened. */
  readonly session: SessionAddress | null
  /** The image of repositories that name none. */
  readonly image: string
  /** An image that has our launcher in it; `null`: it is made of this machine's own programs. */
  readonly launcherImage: string | null
  /** What the dagger CLI may know of our environment. */
  readonly env: Readonly<Record<string, string>>
  /** Who commits in a sandbox, as far as git is asked. */
  readonly author: { readonly name: string; readonly email: string }
  /** What sandboxes may reach at all: `*`, names, host:port, CIDR. */
  readonly network: readonly string[]
  /** With less free on an engine's disk, no task starts there. */
  readonly minFreeBytes: number
  readonly log: Log
  /** How many containers wait on an engine for the next sandbox, at most. */
  readonly spares: number
  /** Names sandboxes: each another, or the engine's cache would stand for one. By default random. */
  readonly newLife?: () => string
}

export interface DaggerRuntime extends Runtime {
  readonly engineNames: readonly string[]
  /** What of each engine is known, found by looking. Never throws. */
  lookAtEngines(): Promise<readonly EngineReport[]>
  /** What of each engine is known without asking it. */
  loads(): readonly {
    readonly engine: string
    readonly slots: number
    readonly tasks: number
    readonly up: boolean
    readonly diskFreeBytes: number | null
  }[]
}

/** One engine, for people. */
export interface EngineReport {
  readonly engine: string
  readonly slots: number
  /** Tasks of this process that have a sandbox there. */
  readonly tasks: number
  readonly version: string | null
  /** `null`: it can be used. */
  readonly fault: string | null
}

const reclaimMs = 90_000
/** How many engines are tried for one sandbox. */
const mostTries = 3
const reportsKeptMs = 10_000

/** Sandboxes in containers, on one Dagger engine or many. Opens nothing until it is used. */
export function createDaggerRuntime(options: DaggerRuntimeOptions): DaggerRuntime {
  return new ContainerRuntime(options)
}

class ContainerRuntime implements DaggerRuntime {
  readonly name = 'dagger'
  readonly #options: DaggerRuntimeOptions
  readonly #engines: Engines
  readonly #open = new Set<DaggerSandbox>()
  readonly #feed = new PackFeed()
  readonly #spares: Spares
  readonly #operator: OperatorRules
  readonly #token = randomBytes(32).toString('base64url')
  #hub: Promise<Hub> | null = null
  #reports: { found: Promise<readonly EngineReport[]>; atMs: number } | null = null

  constructor(options: DaggerRuntimeOptions) {
    this.#options = options
    this.#operator = new OperatorRules(options.network)
    const { cli, env, minFreeBytes, log, session } = options
    this.#spares = new Spares({
      most: options.spares,
      start: (wanted, signal) => this.#start(wanted, signal),
      log,
    })
    const workbench = async () => ({
      launcher:
        options.launcherImage === null
          ? { folder: await launcherFolder(options.home) }
          : { image: options.launcherImage },
      socketPath: (await this.#listening()).path,
      token: this.#token,
    })
    this.#engines = new Engines(
      options.engines.map(
        (address) => new Engine(address, { cli, env, session, workbench, minFreeBytes, log }),
      ),
    )
  }

  /** One engine that can be used is enough. */
  async problems(): Promise<readonly Problem[]> {
    const reports = await this.lookAtEngines()
    if (reports.some(({ fault }) => fault === null)) return []
    return reports.map(({ engine, fault }) => ({
      what: `${engine}: ${fault ?? ''}`,
      todo: todoFor(fault ?? ''),
    }))
  }

  lookAtEngines(): Promise<readonly EngineReport[]> {
    const nowMs = performance.now()
    if (this.#reports === null || nowMs - this.#reports.atMs > reportsKeptMs) {
      this.#reports = { found: this.#look(), atMs: nowMs }
    }
    return this.#reports.found
  }

  #look(): Promise<readonly EngineReport[]> {
    return Promise.all(
      this.#engines.all.map(async (engine) => {
        const fault = (await engine.look()) ?? engine.fault()
        const { health } = engine
        const version = health.kind === 'up' ? health.version : null
        return { engine: engine.name, slots: engine.slots, tasks: engine.load, version, fault }
      }),
    )
  }

  get engineNames(): readonly string[] {
    return this.#engines.all.map(({ name }) => name)
  }

  loads() {
    return this.#engines.all.map((engine) => ({
      engine: engine.name,
      slots: engine.slots,
      tasks: engine.load,
      up: engine.health.kind === 'up',
      diskFreeBytes: engine.freeBytes,
    }))
  }

  async open(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox> {
    for (let left = mostTries; ; left -= 1) {
      signal.throwIfAborted()
      const engine = await this.#engines.enter(spec.taskId, signal)
      const wanted = { engine, image: spec.image ?? this.#options.image, program: spec.program }
      const spare = this.#spares.take(wanted)
      try {
        const keeper = spare ?? (await this.#start(wanted, signal))
        const sandbox = await openDaggerSandbox(await this.#maker(), keeper, wanted, spec, signal)
        this.#open.add(sandbox)
        this.#spares.replace(wanted)
        return sandbox
      } catch (error) {
        this.#engines.leave(engine, spec.taskId)
        if (!(error instanceof RuntimeFailure) || left === 1) throw error
        // Neither a container that has waited too long nor an engine that is gone is a reason to fail.
        if (spare === null && (await engine.check())) throw error
      }
    }
  }

  async reclaim(taskId: string): Promise<void> {
    const ours = [...this.#open].filter((sandbox) => sandbox.taskId === taskId)
    await Promise.allSettled(ours.map((sandbox) => sandbox.close()))
    await Promise.all(
      this.#engines.all
        .filter((engine) => engine.usable)
        .map(async (engine) => {
          try {
            const { workbench } = await engine.open()
            await workbench.once(['end', taskId], newLife(), AbortSignal.timeout(reclaimMs))
          } catch (error) {
            this.#options.log.error('what an earlier attempt left on an engine could not be ended', {
              engine: engine.name,
              taskId,
              error: String(error),
            })
          }
        }),
    )
  }

  async close(): Promise<void> {
    this.#spares.close()
    const results = await Promise.allSettled([...this.#open].map((sandbox) => sandbox.close()))
    await Promise.all(this.#engines.all.map((engine) => engine.close()))
    await (await this.#hub)?.close()
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async #start(wanted: WantedKeeper, signal: AbortSignal): Promise<StartedKeeper> {
    const { newLife: life = newLife } = this.#options
    return startKeeper(await this.#listening(), life(), wanted, signal)
  }

  async #maker(): Promise<SandboxMaker> {
    const { author, log } = this.#options
    return {
      hub: await this.#listening(),
      feed: this.#feed,
      operator: this.#operator,
      author,
      log,
      onClosed: (sandbox, engine) => {
        this.#open.delete(sandbox)
        this.#engines.leave(engine, sandbox.taskId)
      },
    }
  }

  #listening(): Promise<Hub> {
    this.#hub ??= Hub.open(this.#token).catch((error: unknown) => {
      this.#hub = null
      throw new RuntimeFailure(`no socket for containers: ${String(error)}`, { cause: error })
    })
    return this.#hub
  }
}

/** What a person types to mend an engine. */
export function todoFor(fault: string): string {
  if (/ENOENT|cannot be run/.test(fault) && fault.includes('dagger')) {
    return 'install the dagger CLI (docs.dagger.io/install), or name it in _EXPERIMENTAL_DAGGER_CLI_BIN'
  }
  if (/insecure|root capabilities/i.test(fault)) {
    return 'allow insecureRootCapabilities in the engine’s configuration: without it there is no jail in its containers'
  }
  if (/is not installed/.test(fault))
    return 'install it on this machine, or name an image in NIGHTSHIFT_LAUNCHER'
  if (/free on its disk/.test(fault))
    return 'make room on the engine’s disk (dagger core engine local-cache prune), or give it a larger one'
  return 'start the engine, or correct NIGHTSHIFT_ENGINES or _EXPERIMENTAL_DAGGER_RUNNER_HOST'
}
