import { randomUUID } from 'node:crypto'
import { chownSync, closeSync, constants, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { RuntimeFailure } from '../ports/runtime.ts'
import type { Run } from '../process/spawner.ts'
import { processTag } from './process-tag.ts'

/**
 * Both outputs of one command, as descriptors that only keep a nameless pipe: real pipes, since `echo > /dev/stderr`
 * fails on the sockets that Node would make.
 */
export interface OutputPipes {
  readonly stdout: number
  readonly stderr: number
}

/** O_PATH of Linux: neither a reader nor a writer of the pipe, which Node has no name for. */
const pathOnly = 0o10000000

/** Pipes that are made once and used by one command after the other: making them takes a process. */
export class PipeShelf {
  readonly #folder: string
  readonly #run: Run
  readonly #all = new Set<OutputPipes>()
  readonly #free: OutputPipes[] = []

  /** `folder`: where pipes are for the moment in which they have names. */
  constructor(folder: string, run: Run) {
    this.#folder = folder
    this.#run = run
  }

  /** Sees to it that there are pipes for a next command. Rejects with {@link RuntimeFailure}. */
  async prepare(): Promise<void> {
    if (this.#free.length === 0) this.#free.push(await this.#make())
  }

  /** `owner`: who may open them again by /dev/stdout. Rejects with {@link RuntimeFailure}. */
  async take(owner: number | null): Promise<OutputPipes> {
    const pipes = this.#free.pop() ?? (await this.#make())
    if (owner === null) return pipes
    chownSync(pathOf(pipes.stdout), owner, owner)
    chownSync(pathOf(pipes.stderr), owner, owner)
    return pipes
  }

  /** Only where both ends are closed: what is left in a pipe would be the next command's output. */
  giveBack(pipes: OutputPipes): void {
    this.#free.push(pipes)
  }

  discard(pipes: OutputPipes): void {
    if (!this.#all.delete(pipes)) return
    closeSync(pipes.stdout)
    closeSync(pipes.stderr)
  }

  /** Closes them all; none may be in use. */
  close(): void {
    for (const pipes of this.#all) this.discard(pipes)
    this.#free.length = 0
  }

  async #make(): Promise<OutputPipes> {
    const paths = [1, 2].map(() => join(this.#folder, `${processTag()}-${randomUUID()}`))
    const [stdout = '', stderr = ''] = paths
    try {
      const made = await this.#run(['mkfifo', '-m', '600', ...paths], {
        env: { PATH: '/usr/bin:/bin:/run/current-system/sw/bin' },
        timeoutMs: 30_000,
      })
      if (made.exitCode !== 0) throw new RuntimeFailure(`the output pipes could not be made: ${made.stderr}`)
      const pipes = { stdout: openSync(stdout, pathOnly), stderr: openSync(stderr, pathOnly) }
      this.#all.add(pipes)
      return pipes
    } finally {
      for (const path of paths) rmSync(path, { force: true })
    }
  }
}

/** Our end of a kept pipe, and the descriptor that a child writes to, which has to be closed once it has started. */
export function openPipe(kept: number): { reader: Socket; writer: number } {
  const path = pathOf(kept)
  // Without O_NONBLOCK, opening would wait for a writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const writer = openSync(path, constants.O_WRONLY)
    return { reader: new Socket({ fd, readable: true, writable: false }), writer }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function pathOf(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`
}
