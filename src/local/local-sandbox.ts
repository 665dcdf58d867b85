import { join } from 'node:path'
import type { ResourceGroup } from '../jail/cgroup.ts'
import type { PipeShelf } from '../jail/output-pipes.ts'
import { openMachinePorts } from '../jail/machine-ports.ts'
import { runCommand } from '../jail/run-command.ts'
import { clonePath, outPath, takeFile } from '../jail/sandbox-files.ts'
import {
  RuntimeFailure,
  type Command,
  type ExecEnd,
  type Sandbox,
  type SandboxLimits,
} from '../ports/runtime.ts'
import type { KeptFiles } from '../jail/kept-files.ts'
import type { SandboxJails } from './sandbox-jails.ts'
import type { UidSlot } from './uid-slots.ts'
import type { WorkFolder, WorkFolders } from './work-folders.ts'

/** What a sandbox holds until it is closed; filled step by step while it is opened. */
export interface Holdings {
  readonly folder: WorkFolder
  uid: UidSlot | null
  group: ResourceGroup | null
  jails: SandboxJails | null
}

/** What commands in a sandbox need. */
export interface Workings {
  readonly jails: SandboxJails
  readonly pipes: PipeShelf
  /** User of the machine as whom commands run, where it is another than ours. */
  readonly owner: number | null
  readonly limits: SandboxLimits
  readonly kept: KeptFiles
  readonly env: Readonly<Record<string, string>>
  /** Takes notes from now on, in place of who did so before. */
  readonly noteTo: (listener: ((text: string) => void) | undefined) => void
}

/** Gives back what a sandbox holds: all of it, also where a part fails. Rejects with {@link RuntimeFailure}. */
export async function giveBack(folders: WorkFolders, held: Holdings): Promise<void> {
  const failures: unknown[] = []
  const steps = [
    () => held.jails?.close(),
    () => held.group?.remove(),
    () => folders.remove(held.folder.name),
  ]
  for (const step of steps) {
    try {
      await step()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length === 0) {
    // Only now: while something of it is left, nobody else may have the id.
    await held.uid?.release()
    return
  }
  const said = failures.map((error) => (error instanceof Error ? error.message : String(error)))
  throw new RuntimeFailure(`a sandbox could not be removed: ${said.join('; ')}`, { cause: failures[0] })
}

/** A sandbox of this machine: a folder, and a jail around it for every command. */
export class LocalSandbox implements Sandbox {
  readonly clonePath = clonePath
  readonly outPath = outPath
  readonly program = null
  readonly taskId: string
  readonly #folders: WorkFolders
  readonly #held: Holdings
  readonly #workings: Workings
  readonly #onClosed: () => void
  readonly #closing = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  #closed: Promise<void> | null = null

  constructor(facts: {
    taskId: string
    folders: WorkFolders
    held: Holdings
    workings: Workings
    onClosed: (sandbox: LocalSandbox) => void
  }) {
    this.taskId = facts.taskId
    this.#folders = facts.folders
    this.#held = facts.held
    this.#workings = facts.workings
    this.#onClosed = () => facts.onClosed(this)
  }

  async exec(command: Command): Promise<ExecEnd> {
    if (this.#closing.signal.aborted) throw new RuntimeFailure('the sandbox is closed')
    const running = this.#exec(command)
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  take(name: string, maxBytes: number): Promise<Buffer | null> {
    return takeFile(this.#held.folder.out, name, maxBytes)
  }

  keep(name: string, key: string): Promise<void> {
    return this.#workings.kept.keep(join(this.#held.folder.out, name), key)
  }

  bring(key: string, name: string): Promise<boolean> {
    return this.#workings.kept.bring(key, join(this.#held.folder.out, name), this.#workings.owner)
  }

  /** A closing that failed can be tried again. */
  close(): Promise<void> {
    this.#closed ??= this.#close().catch((error: unknown) => {
      this.#closed = null
      throw error
    })
    return this.#closed
  }

  async #exec(command: Command): Promise<ExecEnd> {
    const { jails, pipes, owner, limits, env, noteTo } = this.#workings
    noteTo(command.onNote)
    const relays = command.relays ?? []
    const prepared = await jails.for(command.network, relays).catch(jailFailure)
    const { folder, group } = this.#held
    const place = { ...prepared, pipes, owner, runFile: folder.runFile, group, limits }
    const signal = AbortSignal.any([command.signal, this.#closing.signal])
    const run = () => runCommand(place, { ...command, signal }, { ...env, ...prepared.env, ...command.env })
    if (command.network.kind !== 'full' || relays.length === 0) return run()
    const closePorts = await openMachinePorts(relays).catch(jailFailure)
    try {
      return await run()
    } finally {
      await closePorts()
    }
  }

  async #close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#running)
    await giveBack(this.#folders, this.#held)
    this.#onClosed()
  }
}

function jailFailure(error: unknown): never {
  throw new RuntimeFailure(`the jail could not be prepared: ${String(error)}`, { cause: error })
}
