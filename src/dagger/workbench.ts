import { createHash } from 'node:crypto'
import type { Client, Container } from '@dagger.io/dagger'
import { versionIn } from '../model/version-in.ts'
import { RuntimeFailure, type FoundProgram, type NpmProgram } from '../ports/runtime.ts'
import { ask, post, type SessionAddress } from './graphql.ts'
import { keeperPath, launcherNode } from './launcher-files.ts'
import { imageRoot, keeperVariables, keptRoot, livesRoot, packsRoot, schedulerSocket } from './protocol.ts'

export interface WorkbenchOptions {
  /** Folder of the launcher's root file system on this machine, or the name of an image that has it. */
  readonly launcher: { readonly folder: string } | { readonly image: string }
  /** The hub's socket, and what its callers have to know. */
  readonly socketPath: string
  readonly token: string
}

/** A container that waits for its command, and what its image says. */
export interface PreparedImage {
  readonly container: Container
  readonly env: Readonly<Record<string, string>>
  /** The program that was asked for. */
  readonly program: FoundProgram | null
}

interface Rooted {
  readonly rootfs: { readonly id: string }
}

/** Exit code of {@link installScript} where there is nothing to install with. */
export const noInstaller = 127
/** Leaves an image that has the program as it is. Prints where that is, and what it says of its version. */
const installScript = `command -v "$1" >/dev/null || {
  command -v npm >/dev/null || exit ${noInstaller}
  npm install --global --no-audit --no-fund "$2" >&2 || exit
}
command -v "$1" || { echo "it brought no $1" >&2; exit 1; }
HOME=/tmp/nightshift-home; export HOME; mkdir -p "$HOME"
"$1" --version </dev/null; rm -rf "$HOME"`

const imageKeptMs = 10 * 60_000
const shortMs = 30_000

/** Describes containers to one session. What is the same for all tasks is described once. */
export class Workbench {
  readonly #session: SessionAddress
  readonly #options: WorkbenchOptions
  readonly #images = new Map<string, { prepared: Promise<PreparedImage>; atMs: number }>()
  #client: Promise<Client> | null = null
  #launcher: Promise<Container> | null = null

  constructor(session: SessionAddress, options: WorkbenchOptions) {
    this.#session = session
    this.#options = options
  }

  /** The engine's version. Rejects where it does not answer in time. */
  async version(timeoutMs: number): Promise<string> {
    const data = (await ask(this.#session, '{version}', AbortSignal.timeout(timeoutMs))) as {
      version: string
    }
    return data.version
  }

  /**
   * A container over this image, as it is now, and the program, which is installed where the image lacks it. Rejects
   * with the engine's error where there is no image of that name, or where {@link installScript} failed.
   */
  image(name: string, program: NpmProgram | null): Promise<PreparedImage> {
    const nowMs = performance.now()
    const key = JSON.stringify([name, program])
    const known = this.#images.get(key)
    if (known !== undefined && nowMs - known.atMs < imageKeptMs) return known.prepared
    const prepared = this.#prepare(name, program)
    this.#images.set(key, { prepared, atMs: nowMs })
    prepared.catch(() => this.#images.delete(key))
    return prepared
  }

  /**
   * A layer over an image that has the program: the same for all tasks, before any of them, and with no more rights than
   * the build of an image has. Rejects with the engine's error.
   */
  async install(imageId: string, program: NpmProgram): Promise<Rooted & { program: FoundProgram }> {
    const argv = [
      '/bin/sh',
      '-c',
      installScript,
      'install',
      program.bin,
      `${program.package}@${program.version}`,
    ]
    const layer = `withUser(name:"0"){withExec(args:${JSON.stringify(argv)}){stdout rootfs{id}}}`
    const query = `{node(id:${JSON.stringify(imageId)}){... on Container{${layer}}}}`
    const data = (await ask(this.#session, query, AbortSignal.timeout(imageKeptMs))) as {
      node: { withUser: { withExec: Rooted & { stdout: string } } }
    }
    const { rootfs, stdout } = data.node.withUser.withExec
    const [path = program.bin, ...said] = stdout.trim().split('\n')
    return { rootfs, program: { path, version: versionIn(said.join('\n')) } }
  }

  /** The container in which a keeper runs, described but not started: a question about it starts it. */
  async keeper(prepared: PreparedImage, life: string): Promise<string> {
    const container = prepared.container
      // A life is lived once: with it, nothing of the cache can stand for it.
      .withEnvVariable(keeperVariables.life, life)
      .withExec([launcherNode, keeperPath], { insecureRootCapabilities: true })
    return container.id()
  }

  /** Runs a container to its end; aborting ends it. Rejects with the engine's error. Answers what it printed. */
  async run(containerId: string, signal: AbortSignal): Promise<string> {
    const query = `{node(id:${JSON.stringify(containerId)}){... on Container{stdout}}}`
    const data = (await ask(this.#session, query, signal)) as { node: { stdout: string } }
    return data.node.stdout
  }

  /** Runs the keeper for something else than a sandbox. A `life` that was used before may be answered from the cache. */
  async once(args: readonly string[], life: string, signal: AbortSignal): Promise<string> {
    const launcher = await this.#launched()
    const container = launcher
      .withEnvVariable(keeperVariables.life, life)
      .withExec([launcherNode, keeperPath, ...args], { insecureRootCapabilities: true })
    return this.run(await container.id(), signal)
  }

  async #prepare(name: string, program: NpmProgram | null): Promise<PreparedImage> {
    const asked = `{container{from(address:${JSON.stringify(name)}){id envVariables{name value} rootfs{id}}}}`
    // The name is asked for once; what it stands for now is what all tasks get until it is asked again.
    const data = (await ask(this.#session, asked, AbortSignal.timeout(imageKeptMs))) as {
      container: { from: Rooted & { id: string; envVariables: { name: string; value: string }[] } }
    }
    const { id: imageId, envVariables } = data.container.from
    const installed = program === null ? null : await this.install(imageId, program)
    const { rootfs } = installed ?? data.container.from
    const client = await this.#connected()
    const launcher = await this.#launched()
    const described = launcher.withMountedDirectory(imageRoot, client.loadDirectoryFromID(rootfs.id as never))
    const id = await described.id()
    return {
      container: client.loadContainerFromID(id as never),
      env: Object.fromEntries(envVariables.map((variable) => [variable.name, variable.value])),
      program: installed?.program ?? null,
    }
  }

  #launched(): Promise<Container> {
    this.#launcher ??= this.#launch()
    return this.#launcher
  }

  async #launch(): Promise<Container> {
    const client = await this.#connected()
    const { launcher, socketPath, token } = this.#options
    const empty = client.container()
    const root =
      'image' in launcher
        ? empty.from(launcher.image)
        : empty.withRootfs(client.host().directory(launcher.folder))
    // Named by its value: the same name must not stand for another secret.
    const name = `nightshift-${createHash('sha256').update(token).digest('hex').slice(0, 16)}`
    const id = await root
      .withMountedCache(packsRoot, client.cacheVolume('nightshift-packs'))
      .withMountedCache(keptRoot, client.cacheVolume('nightshift-kept'))
      .withMountedCache(livesRoot, client.cacheVolume('nightshift-lives'))
      .withUnixSocket(schedulerSocket, client.host().unixSocket(socketPath))
      .withSecretVariable(keeperVariables.token, client.setSecret(name, token))
      .id()
    return client.loadContainerFromID(id as never)
  }

  /** The SDK takes more than a second to load, so it is loaded when it is needed. */
  #connected(): Promise<Client> {
    this.#client ??= connectClient(this.#session)
    return this.#client
  }
}

async function connectClient(session: SessionAddress): Promise<Client> {
  const { Client, Context, GraphQLClient } = await import('@dagger.io/dagger')
  const graphql = new GraphQLClient(`http://127.0.0.1:${session.port}/query`, {
    fetch: async (_url, init) => {
      const { status, text } = await post(session, String(init?.body), AbortSignal.timeout(shortMs))
      // The SDK would keep what was said for itself.
      if (status !== 200 && !text.startsWith('{')) throw new Error(`status ${status}: ${text.slice(0, 500)}`)
      return new Response(text, { status, headers: { 'content-type': 'application/json' } })
    },
  })
  // The SDK opens sessions by itself, one for the whole process; its connection to one that is open it does not export.
  const connection = { getGQLClient: () => graphql } as unknown as ConstructorParameters<typeof Context>[1]
  const client = new Client(new Context([], connection))
  if (typeof client.loadContainerFromID !== 'function') {
    throw new RuntimeFailure('this version of @dagger.io/dagger is not the one that nightshift was made for')
  }
  return client
}
