import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, rm, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { withFileLock } from '../process/file-lock.ts'
import type { RunOptions, RunResult } from '../process/run.ts'
import type { Run } from '../process/spawner.ts'

/**
 * Where the publisher's git runs and keeps its files: beside the scheduler, or in a container that a runtime gives.
 * All paths are absolute and of that place. The publisher touches files in no other way.
 */
export interface GitPlace {
  /** The folder that is the publisher's own. */
  readonly home: string
  /** Runs a program to its end; see {@link run}. */
  run(argv: readonly string[], options: RunOptions): Promise<RunResult>
  /** Makes a folder and those above it; one that is there already is fine. */
  makeFolder(path: string): Promise<void>
  /** Writes files, named relative to a folder, each whole or not at all; missing folders are made. Mode 0600. */
  write(folder: string, files: Readonly<Record<string, string | Buffer>>, mode?: number): Promise<void>
  /** Removes a file or a folder with all that is in it; nothing there is fine. */
  remove(path: string): Promise<void>
  /** Names in a folder; empty where there is no such folder. */
  list(path: string): Promise<string[]>
  /** Marks a file as used now. False: there is no such file, and none is made. */
  touch(path: string): Promise<boolean>
  /** Holds an exclusive lock, across processes, while `work` runs. Rejects with `LockTimeout`. */
  withLock<T>(path: string, waitMs: number, work: () => Promise<T>): Promise<T>
}

/** The place beside the scheduler, on this machine; `run` starts its programs. */
export function localPlace(home: string, run: Run): GitPlace {
  return {
    home,
    run,
    async makeFolder(path) {
      await mkdir(path, { recursive: true })
    },
    // Done at once and not handed to threads: these files are small, and the way to a thread and back is longer.
    async write(folder, files, mode = 0o600) {
      for (const [name, content] of Object.entries(files)) {
        const path = join(folder, name)
        mkdirSync(dirname(path), { recursive: true })
        const unfinished = `${path}.${randomBytes(6).toString('hex')}`
        try {
          writeFileSync(unfinished, content, { mode })
          // The umask may have taken rights away that were asked for.
          chmodSync(unfinished, mode)
          renameSync(unfinished, path)
        } catch (error) {
          rmSync(unfinished, { force: true })
          throw error
        }
      }
    },
    async remove(path) {
      await rm(path, { recursive: true, force: true, maxRetries: 3 })
    },
    list: (path) => unlessMissing(readdir(path), []),
    touch(path) {
      const now = new Date()
      return unlessMissing(
        utimes(path, now, now).then(() => true),
        false,
      )
    },
    withLock: withFileLock,
  }
}

async function unlessMissing<T>(answer: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await answer
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return otherwise
    throw error
  }
}
