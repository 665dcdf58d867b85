import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { chown, copyFile, lstat, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { RuntimeFailure } from '../ports/runtime.ts'

const maxBytes = 4 * 1024 * 1024 * 1024

/** What sandboxes keep for later ones: files of a folder, each named by its key, that nobody changes any more. */
export class KeptFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Copies a plain file of a sandbox; whole or not at all, whoever else keeps the same. Rejects with {@link RuntimeFailure}. */
  async keep(path: string, key: string): Promise<void> {
    const facts = await lstat(path)
    if (!facts.isFile()) throw new RuntimeFailure(`${path} is no plain file, and is not kept`)
    if (facts.size > maxBytes)
      throw new RuntimeFailure(`${path} is larger than ${maxBytes} bytes, and is not kept`)
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const unfinished = join(this.#folder, `tmp-${randomUUID()}`)
    try {
      await copyFile(path, unfinished, constants.COPYFILE_FICLONE)
      await rename(unfinished, this.#at(key))
    } catch (error) {
      await rm(unfinished, { force: true })
      throw error
    }
  }

  /** Makes a copy, for the sandbox's user alone to change; `false`: nothing is kept under this key. */
  async bring(key: string, path: string, owner: number | null): Promise<boolean> {
    const kept = this.#at(key)
    try {
      await copyFile(kept, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
    if (owner !== null) await chown(path, owner, owner)
    // When it was used last, for whoever tidies up.
    const now = new Date()
    await utimes(kept, now, now).catch(() => {})
    return true
  }

  #at(key: string): string {
    if (!/^[\w-]+$/.test(key)) throw new RuntimeFailure(`${key} is no key`)
    return join(this.#folder, key)
  }
}

/** Removes what sandboxes kept in a folder and none has used for so long. Answers the names. */
export async function removeOldKept(folder: string, olderMs: number): Promise<string[]> {
  const removed: string[] = []
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    const facts = await stat(path).catch(() => null)
    if (facts === null || facts.mtimeMs > Date.now() - olderMs) continue
    await rm(path, { force: true })
    removed.push(name)
  }
  return removed
}
