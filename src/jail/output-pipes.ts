import { chownSync, closeSync, constants, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { run } from '../process/run.ts'
import { RuntimeFailure } from '../ports/runtime.ts'

/** Both outputs of one command: real pipes, since `echo > /dev/stderr` fails on the sockets that Node would make. */
export interface OutputPipes {
  readonly stdout: string
  readonly stderr: string
}

/** Named pipes of one sandbox, made once and used again by one command after the other. */
export class PipeShelf {
  readonly #folder: string
  readonly #owner: number | null
  readonly #free: OutputPipes[] = []
  #made = 0

  /** `owner`: who reopens them by /dev/stdout inside; `null`: we ourselves. */
  constructor(folder: string, owner: number | null) {
    this.#folder = folder
    this.#owner = owner
  }

  /** Makes pipes for the first command in advance. Rejects with {@link RuntimeFailure}. */
  async prepare(): Promise<void> {
    this.#free.push(await this.#make())
  }

  async take(): Promise<OutputPipes> {
    return this.#free.pop() ?? (await this.#make())
  }

  /** Only where both ends are closed: what is left in a pipe would be the next command's output. */
  giveBack(pipes: OutputPipes): void {
    this.#free.push(pipes)
  }

  discard(pipes: OutputPipes): void {
    rmSync(pipes.stdout, { force: true })
    rmSync(pipes.stderr, { force: true })
  }

  async #make(): Promise<OutputPipes> {
    const number = this.#made++
    const pipes = {
      stdout: join(this.#folder, `stdout-${number}`),
      stderr: join(this.#folder, `stderr-${number}`),
    }
    const made = await run(['mkfifo', '-m', '600', pipes.stdout, pipes.stderr], {
      env: { PATH: '/usr/bin:/bin:/run/current-system/sw/bin' },
      timeoutMs: 30_000,
    })
    if (made.exitCode !== 0) throw new RuntimeFailure(`the output pipes could not be made: ${made.stderr}`)
    if (this.#owner !== null) {
      chownSync(pipes.stdout, this.#owner, this.#owner)
      chownSync(pipes.stderr, this.#owner, this.#owner)
    }
    return pipes
  }
}

/** Our end of a named pipe, and the descriptor that a child writes to, which has to be closed once it has started. */
export function openPipe(path: string): { reader: Socket; writer: number } {
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
