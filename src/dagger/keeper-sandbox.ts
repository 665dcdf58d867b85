import { existsSync } from 'node:fs'
import { chown } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { once } from 'node:events'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { findGroupBase, ResourceGroup } from '../jail/cgroup.ts'
import { Jail } from '../jail/jail.ts'
import { insideUid, type JailPrograms, type JailSpec } from '../jail/jail-spec.ts'
import { KeptFiles, removeOldKept } from '../jail/kept-files.ts'
import { openMachinePorts } from '../jail/machine-ports.ts'
import { memoryFolder } from '../jail/memory-folder.ts'
import { PipeShelf } from '../jail/output-pipes.ts'
import { findPrograms } from '../jail/programs.ts'
import { runCommand, type CommandPlace } from '../jail/run-command.ts'
import {
  makeFolders,
  sandboxFolder,
  setModes,
  takeFile,
  writeCovers,
  writeGitConfig,
  type SandboxFolder,
} from '../jail/sandbox-files.ts'
import { proxyEnvironment, socketRelays } from '../jail/way-out.ts'
import type { ExecEnd, OutputLine, Relay } from '../ports/runtime.ts'
import { run } from '../process/run.ts'
import { imageEnvironment, imageJail, networked, ownNode, prepareImage } from './image-jail.ts'
import { keptRoot, schedulerSocket, type Greeting, type SandboxPlan, type SentCommand } from './protocol.ts'

const sandboxRoot = '/sandbox'
/** What no sandbox has used for so long is kept no more. */
const keptMs = 30 * 24 * 60 * 60_000
const kept = new KeptFiles(keptRoot)
/** The same as inside: nothing else in a container has it. */
const owner = { uid: insideUid, gid: insideUid }

/** What a command tells while it runs. */
export interface Telling {
  readonly signal: AbortSignal
  readonly stdin: Buffer
  readonly onLine: (line: OutputLine) => void
  /** See `CommandPlace.pace`. */
  readonly pace: () => Promise<void> | null
}

/** The sandbox of one container: a folder of it, and a jail around it for every command. */
export class KeeperSandbox {
  readonly #greeting: Omit<Greeting, 'relay'>
  readonly #plan: SandboxPlan
  readonly #folder: SandboxFolder
  readonly #programs: JailPrograms
  readonly #spec: JailSpec
  readonly #pipes: PipeShelf
  readonly #group: ResourceGroup | null
  readonly #relays = new Map<number, Promise<Server>>()
  readonly #running = new Set<Promise<unknown>>()
  readonly #closing = new AbortController()

  /**
   * Makes a sandbox over a root file system. `fill` makes the clone, in a folder that belongs to the sandbox's user.
   * Rejects with what could not be made.
   */
  static async make(
    root: string,
    plan: SandboxPlan,
    greeting: Omit<Greeting, 'relay'>,
    fill: (folder: SandboxFolder, user: typeof owner) => Promise<void>,
  ): Promise<KeeperSandbox> {
    const found = findPrograms(true)
    if ('problems' in found) throw new Error(found.problems.map(({ what }) => what).join('; '))
    const folder = sandboxFolder(sandboxRoot)
    makeFolders(folder)
    setModes(folder)
    const covers = writeCovers(folder)
    writeGitConfig(folder, plan.author)
    const pipes = new PipeShelf(memoryFolder(folder.scratch), run)
    await Promise.all([fill(folder, owner), pipes.prepare()])
    const own = [folder.clone, folder.home, folder.tmp, folder.out, join(folder.home, '.gitconfig')]
    for (const path of own) await chown(path, owner.uid, owner.gid)
    prepareImage(root)
    const base = findGroupBase()
    const group = base === null ? null : new ResourceGroup(base, `nightshift-${greeting.life}`, plan.limits)
    const spec = imageJail(root, folder, covers, { uid: owner.uid, ...plan })
    const programs = { ...found.programs, shInside: '/bin/sh' }
    return new KeeperSandbox({ greeting, plan, folder, programs, spec, pipes, group })
  }

  private constructor(parts: {
    greeting: Omit<Greeting, 'relay'>
    plan: SandboxPlan
    folder: SandboxFolder
    programs: JailPrograms
    spec: JailSpec
    pipes: PipeShelf
    group: ResourceGroup | null
  }) {
    this.#greeting = parts.greeting
    this.#plan = parts.plan
    this.#folder = parts.folder
    this.#programs = parts.programs
    this.#spec = parts.spec
    this.#pipes = parts.pipes
    this.#group = parts.group
  }

  /** Whether the kernel keeps memory and processes; otherwise they are watched. */
  get grouped(): boolean {
    return this.#group !== null
  }

  /** As `Sandbox.exec`. */
  async exec(command: SentCommand, telling: Telling): Promise<ExecEnd> {
    const running = this.#exec(command, telling)
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  /** As `Sandbox.take`. */
  take(name: string, maxBytes: number): Promise<Buffer | null> {
    return takeFile(this.#folder.out, name, maxBytes)
  }

  /** As `Sandbox.keep`: in a cache volume of the engine, which nothing that runs in a jail can see. */
  async keep(name: string, key: string): Promise<void> {
    await removeOldKept(keptRoot, keptMs)
    await kept.keep(join(this.#folder.out, name), key)
  }

  /** As `Sandbox.bring`. */
  bring(key: string, name: string): Promise<boolean> {
    return kept.bring(key, join(this.#folder.out, name), owner.uid)
  }

  /** Ends all that runs and removes all files, so that the engine keeps nothing of them. Rejects where something is left. */
  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.allSettled(this.#running)
    for (const server of await Promise.all(this.#relays.values())) server.close()
    this.#pipes.close()
    await this.#group?.remove()
    const removed = await run(['rm', '-rf', '--one-file-system', sandboxRoot], {
      env: { PATH: '/usr/bin:/bin' },
      timeoutMs: 5 * 60_000,
    })
    if (existsSync(sandboxRoot)) throw new Error(`the sandbox could not be removed: ${removed.stderr}`)
  }

  async #exec(command: SentCommand, telling: Telling): Promise<ExecEnd> {
    const relays = await Promise.all(command.relays.map((relay) => this.#relay(relay)))
    const full = command.network === 'full'
    const spec = full ? networked(this.#spec) : this.#spec
    const { mounts, prefix } = socketRelays(full ? [] : relays, ownNode())
    const closePorts = full && relays.length > 0 ? await openMachinePorts(relays) : null
    const place: CommandPlace = {
      jail: new Jail(
        this.#programs,
        { ...spec, mounts: [...spec.mounts, ...mounts] },
        memoryFolder(this.#folder.scratch),
      ),
      pipes: this.#pipes,
      owner: owner.uid,
      prefix,
      runFile: this.#folder.runFile,
      group: this.#group,
      limits: this.#plan.limits,
      pace: telling.pace,
    }
    const { argv, env, timeoutMs, silenceMs } = command
    try {
      return await runCommand(
        place,
        {
          argv,
          env,
          network: { kind: 'none' },
          timeoutMs,
          ...(silenceMs === undefined ? {} : { silenceMs }),
          ...(command.stdin ? { stdin: telling.stdin } : {}),
          onLine: telling.onLine,
          signal: AbortSignal.any([telling.signal, this.#closing.signal]),
        },
        {
          ...imageEnvironment(this.#plan.imageEnv),
          ...(command.network === 'proxy' ? proxyEnvironment : {}),
          ...env,
        },
      )
    } finally {
      await closePorts?.()
    }
  }

  /** A socket of this container that leads to a relay of the scheduler. */
  async #relay({ port, relay }: { port: number; relay: number }): Promise<Relay> {
    const socket = join(this.#folder.scratch, `relay-${relay}.sock`)
    const opening = this.#relays.get(relay) ?? openRelay(socket, { ...this.#greeting, relay })
    this.#relays.set(relay, opening)
    await opening
    return { port, socket }
  }
}

async function openRelay(path: string, greeting: Greeting): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const onward = connect({ path: schedulerSocket, allowHalfOpen: true })
    onward.write(`${JSON.stringify(greeting)}\n`)
    client.pipe(onward)
    onward.pipe(client)
    client.on('error', () => onward.destroy())
    onward.on('error', () => client.destroy())
    client.on('close', () => onward.destroy())
    onward.on('close', () => client.destroy())
  })
  await once(server.listen(path), 'listening')
  chmodSync(path, 0o666)
  return server
}
