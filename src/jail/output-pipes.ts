import { randomUUID } from 'node:crypto'
import { chownSync, closeSync, constants, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { RuntimeFailure } from '../ports/runtime.ts'
import { run } from '../process/run.ts'

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

/** Pipes of one sandbox, made once and used again by one command after the other. */
export class PipeShelf {
  readonly #folder: string
  readonly #owner: number | null
  readonly #all = new Set<OutputPipes>()
  readonly #free: OutputPipes[] = []

  /** `owner`: who reopens them by /dev/stdout inside; `null`: we ourselves. */
  constructor(folder: string, owner: number | null) {
    this.#folder = folder
    this.#owner = owner
  }

  /** Makes pipes for the first command in advance. Rejects with {@link RuntimeFailure}. */
  async prepare(): Promise<void> {
    this.#free.push(await this.#make())
  }

  /** Rejects with {@link RuntimeFailure}. */
  async take(): Promise<OutputPipes> {
    return this.#free.pop() ?? (await this.#make())
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
    const paths = [1, 2].map(() => join(this.#folder, `nightshift-${randomUUID()}`))
    const [stdout = '', stderr = ''] = paths
    try {
      const made = await run(['mkfifo', '-m', '600', ...paths], {
        env: { PATH: '/usr/bin:/bin:/run/current-system/sw/bin' },
        timeoutMs: 30_000,
      })
      if (made.exitCode !== 0) throw new RuntimeFailure(`the output pipes could not be made: ${made.stderr}`)
      if (this.#owner !== null) for (const path of paths) chownSync(path, this.#owner, this.#owner)
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
  const path = `/proc/self/fd/${kept}`
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
