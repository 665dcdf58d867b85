import { setImmediate } from 'node:timers/promises'
import { readBlob } from './blob.ts'
import { GitFailure, type Git } from './git-command.ts'
import { pathBytes } from './path-text.ts'

interface Request {
  readonly sha: string
  readonly path: string
  readonly maxBytes: number
  readonly answer: (content: Promise<Buffer | null> | Buffer | null) => void
  readonly fail: (error: unknown) => void
}

/** Files that are read by one process of git, and bytes of them all together; larger ones are read by themselves. */
const most = { files: 2000, bytes: 32 * 1024 * 1024 }

/**
 * Reads files of commits; what is asked for at the same time is read together, since a process for each of ten
 * thousand files takes minutes. Answers as {@link readBlob} does: `null` for no such file, at most `maxBytes` of one.
 */
export class BlobReader {
  readonly #git: Git
  readonly #gitDir: string
  #waiting: Request[] = []

  constructor(git: Git, gitDir: string) {
    this.#git = git
    this.#gitDir = gitDir
  }

  read(sha: string, path: string, maxBytes: number): Promise<Buffer | null> {
    const { promise, resolve: answer, reject: fail } = Promise.withResolvers<Buffer | null>()
    this.#waiting.push({ sha, path, maxBytes, answer, fail })
    if (this.#waiting.length === 1) void this.#readSoon()
    return promise
  }

  async #readSoon(): Promise<void> {
    await setImmediate()
    const requests = this.#waiting
    this.#waiting = []
    for (let at = 0; at < requests.length; at += most.files) {
      const batch = requests.slice(at, at + most.files)
      try {
        if (batch.length < 3) for (const one of batch) one.answer(this.#alone(one))
        else await this.#together(batch)
      } catch (error) {
        for (const one of batch) one.fail(error)
      }
    }
  }

  async #alone({ sha, path, maxBytes }: Request): Promise<Buffer | null> {
    return (await readBlob(this.#git, this.#gitDir, { sha, path, maxBytes }))?.content ?? null
  }

  /** Files are small nearly always: their sizes are asked for only where all of them at once were too much. */
  async #together(batch: readonly Request[]): Promise<void> {
    const found = await this.#ask(batch, 'contents')
    if (found === null) return this.#bySize(batch)
    for (const [index, one] of batch.entries()) {
      const { size, content } = found[index] ?? { size: null, content: null }
      one.answer(
        size === null || size <= one.maxBytes ? content : (content?.subarray(0, one.maxBytes) ?? null),
      )
    }
  }

  async #bySize(batch: readonly Request[]): Promise<void> {
    const sizes = await this.#ask(batch, 'info')
    if (sizes === null) throw new Error('the sizes of files of the work are too many to be read')
    let group: Request[] = []
    let bytes = 0
    const readGroup = async () => {
      const found = group.length === 0 ? [] : await this.#ask(group, 'contents')
      if (found === null) throw new Error('files of the work are larger than they were said to be')
      for (const [index, one] of group.entries()) one.answer(found[index]?.content ?? null)
      group = []
      bytes = 0
    }
    for (const [index, { size }] of sizes.entries()) {
      const one = batch[index]
      if (one === undefined) continue
      if (size === null) one.answer(null)
      else if (size > one.maxBytes || size > most.bytes / 8) one.answer(this.#alone(one))
      else {
        if (bytes + size > most.bytes) await readGroup()
        group.push(one)
        bytes += size
      }
    }
    await readGroup()
  }

  /** One answer for each request: the size of a file, and its content where that was asked for. `null`: too much. */
  async #ask(batch: readonly Request[], command: 'info' | 'contents') {
    const names = batch.map(({ sha, path }) => Buffer.concat([Buffer.from(`${sha}:`), pathBytes(path)]))
    const requests = names.flatMap((name) => [Buffer.from(`${command} `), name, Buffer.from('\0')])
    const ended = await this.#git.run(this.#gitDir, ['cat-file', '--batch-command', '-z'], {
      stdin: Buffer.concat(requests),
      maxStdoutBytes: most.bytes * 2,
    })
    if (ended.ended === 'too_much_output') return null
    if (ended.exitCode !== 0) throw new GitFailure('files of the work could not be read', ended)
    const { stdout } = ended
    let at = 0
    return names.map((name) => {
      // A name may hold a line break: what git says of one that is missing is known to the byte.
      const missing = Buffer.concat([name, Buffer.from(' missing\n')])
      if (stdout.subarray(at, at + missing.length).equals(missing)) {
        at += missing.length
        return { size: null, content: null }
      }
      const end = stdout.indexOf(0x0a, at)
      const [, kind, size] =
        /^[0-9a-f]+ (\w+) (\d+)$/.exec(stdout.toString('latin1', at, Math.max(at, end))) ?? []
      if (size === undefined) throw new GitFailure('git cat-file printed something unknown', ended)
      at = end + 1
      if (command === 'info') return { size: kind === 'blob' ? Number(size) : null, content: null }
      const content = stdout.subarray(at, at + Number(size))
      at += Number(size) + 1
      return kind === 'blob' ? { size: Number(size), content } : { size: null, content: null }
    })
  }
}
