import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { findGroupBase, sweepGroups } from '../jail/cgroup.ts'
import { OperatorRules } from '../jail/egress-rules.ts'
import { memoryFolder } from '../jail/memory-folder.ts'
import { PipeShelf } from '../jail/output-pipes.ts'
import { explainFailure, jailProblems } from '../jail/probe.ts'
import { sweepTagged } from '../jail/process-tag.ts'
import { findPrograms } from '../jail/programs.ts'
import type { Log } from '../ports/log.ts'
import {
  RuntimeFailure,
  type Problem,
  type Runtime,
  type Sandbox,
  type SandboxSpec,
} from '../ports/runtime.ts'
import { run } from '../process/run.ts'
import type { Run } from '../process/spawner.ts'
import { ownStarter, type Starter } from '../process/start.ts'
import { KeptFiles } from '../jail/kept-files.ts'
import type { LocalSandbox } from './local-sandbox.ts'
import { Machine } from './machine-view.ts'
import { openSandbox, type Cloner, type Opener } from './open-sandbox.ts'
import { defaultUids, type UidRange } from './uid-slots.ts'
import { WorkFolders } from './work-folders.ts'

export interface LocalRuntimeOptions {
  /** Work folders lie under `<home>/work`. */
  readonly home: string
  /** The user's PATH: where tools for the sandbox are found. */
  readonly path: string
  readonly userHome: string
  /** Programs that sandboxes need beside those on the PATH, by absolute path; asked now and then. */
  readonly programs?: () => readonly string[]
  /** Who commits in a sandbox, as far as git is asked. */
  readonly author: { readonly name: string; readonly email: string }
  /** What sandboxes may reach at all: `*`, names, host:port, CIDR. */
  readonly network: readonly string[]
  /** Paths that no sandbox may see, such as files of credentials; `home` is one by itself. */
  readonly masks?: readonly string[]
  readonly clone: Cloner
  readonly log: Log
  /** Runs the small programs that prepare a sandbox; by default from this process. */
  readonly run?: Run
  /** Starts what makes a sandbox; by default from this process. */
  readonly starter?: Starter
  /** User ids of the machine that root gives to sandboxes. */
  readonly uids?: UidRange
}

export interface LocalRuntime extends Runtime {
  /** Ends and removes what processes of this home left that are dead by now. Never throws. */
  sweepDead(): Promise<void>
}

const problemsKeptMs = 60_000
const probeLimits = { memoryBytes: 256 * 1024 * 1024, processes: 64 }

/** Sandboxes of this machine, by bubblewrap: no engine, Linux only. Makes nothing until it is used. */
export function createLocalRuntime(options: LocalRuntimeOptions): LocalRuntime {
  return new BubblewrapRuntime(options)
}

class BubblewrapRuntime implements LocalRuntime {
  readonly name = 'local'
  readonly #options: LocalRuntimeOptions
  readonly #run: Run
  readonly #folders: WorkFolders
  readonly #machine: Machine
  readonly #pipes: PipeShelf
  readonly #open = new Set<LocalSandbox>()
  #problems: { found: Promise<readonly Problem[]>; atMs: number } | null = null
  #probes = 0

  constructor(options: LocalRuntimeOptions) {
    this.#options = options
    this.#run = options.run ?? run
    this.#folders = new WorkFolders(options.home, this.#run)
    this.#pipes = new PipeShelf(memoryFolder(options.home), this.#run)
    const masks = [options.home, ...(options.masks ?? [])]
    this.#machine = new Machine({
      path: options.path,
      userHome: options.userHome,
      programs: options.programs ?? (() => []),
      masks,
    })
  }

  problems(): Promise<readonly Problem[]> {
    const nowMs = performance.now()
    if (this.#problems === null || nowMs - this.#problems.atMs > problemsKeptMs) {
      this.#problems = { found: this.#look(), atMs: nowMs }
    }
    return this.#problems.found
  }

  open(spec: SandboxSpec, signal: AbortSignal): Promise<Sandbox> {
    return this.#openWith(spec, this.#options.clone, signal)
  }

  async reclaim(taskId: string): Promise<void> {
    const ours = [...this.#open].filter((sandbox) => sandbox.taskId === taskId)
    await Promise.allSettled(ours.map((sandbox) => sandbox.close()))
    await this.#clear(() => this.#folders.ofTask(taskId))
  }

  async sweepDead(): Promise<void> {
    await this.#clear(() => this.#folders.dead())
    sweepTagged(memoryFolder(this.#options.home))
    const base = findGroupBase()
    if (base === null) return
    await sweepGroups(base).catch((error: unknown) =>
      this.#options.log.warn('control groups of dead processes could not be removed', {
        error: String(error),
      }),
    )
  }

  async close(): Promise<void> {
    const results = await Promise.allSettled([...this.#open].map((sandbox) => sandbox.close()))
    this.#pipes.close()
    const failed = results.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  async #openWith(spec: SandboxSpec, clone: Cloner, signal: AbortSignal): Promise<LocalSandbox> {
    const sandbox = await openSandbox(
      this.#opener(),
      spec,
      clone,
      (closed) => this.#open.delete(closed),
      signal,
    )
    this.#open.add(sandbox)
    return sandbox
  }

  #opener(): Opener {
    const found = findPrograms(process.getuid?.() === 0)
    if ('problems' in found) {
      const said = found.problems.map(({ what, todo }) => `${what} (${todo})`)
      throw new RuntimeFailure(said.join('; '))
    }
    const { author, log, network } = this.#options
    return {
      folders: this.#folders,
      kept: new KeptFiles(join(this.#options.home, 'kept')),
      machine: this.#machine,
      pipes: this.#pipes,
      run: this.#run,
      starter: this.#options.starter ?? ownStarter,
      programs: found.programs,
      groupBase: findGroupBase(),
      operator: new OperatorRules(network),
      author,
      uids: this.#options.uids ?? defaultUids,
      log,
    }
  }

  /** Looks for what is known to be missing, then really starts a jail: nothing else tells for sure. */
  async #look(): Promise<readonly Problem[]> {
    const known = await jailProblems()
    if (known.length > 0) return known
    try {
      return await this.#probe()
    } catch (error) {
      return [explainFailure(error instanceof Error ? error.message : String(error))]
    }
  }

  async #probe(): Promise<readonly Problem[]> {
    const source = { repo: '', sha: '', branch: '', base: '', mirror: '', work: null }
    const spec: SandboxSpec = {
      taskId: `probe_${process.pid}`,
      attempt: this.#probes++,
      purpose: 'checks',
      program: null,
      image: null,
      source,
      limits: probeLimits,
    }
    const signal = AbortSignal.timeout(60_000)
    const sandbox = await this.#openWith(spec, async () => {}, signal)
    try {
      const end = await sandbox.exec({
        argv: ['true'],
        env: {},
        network: { kind: 'none' },
        signal,
        timeoutMs: 30_000,
      })
      const works = end.kind === 'exited' && end.exitCode === 0
      return works ? [] : [explainFailure(`${end.kind} ${end.exitCode ?? ''} ${end.stderrTail}`)]
    } finally {
      await sandbox.close()
    }
  }

  async #clear(find: () => string[] | Promise<string[]>): Promise<void> {
    const { log } = this.#options
    try {
      for (const name of await find()) {
        try {
          await this.#folders.clear(name)
        } catch (error) {
          log.error('what an earlier attempt left could not be removed', { name, error: String(error) })
        }
      }
    } catch (error) {
      log.error('work folders could not be looked through', { error: String(error) })
    }
  }
}
