import { existsSync } from 'node:fs'
import { mkdir, open, rename, rm, symlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { suspectMark } from '../git/bare-repository.ts'
import { createCloner } from '../git/clone.ts'
import type { SandboxFolder } from '../jail/sandbox-files.ts'
import { run } from '../process/run.ts'
import { packsRoot, type SandboxPlan } from './protocol.ts'

/** The clone could not be made since what the mirror holds cannot be used. */
export class DamagedPacks extends Error {
  override readonly name = 'DamagedPacks'
}

const patienceMs = 60_000

/** The index behind its pack: where there is an index, its pack is whole. */
export const packParts = ['.pack', '.idx'] as const

/**
 * The packs of mirrors in the engine's cache volume: brought once by a scheduler, read by every sandbox on the engine.
 * A pack's name says what is in it, so one that is there is the right one.
 */
export class KeeperPacks {
  readonly #folder: string
  readonly #packs: readonly string[]
  readonly #unfinished = new Map<string, { file: FileHandle; path: string }>()
  readonly #life: string

  constructor(plan: SandboxPlan, life: string) {
    this.#folder = join(packsRoot, plan.packsFolder)
    this.#packs = plan.packs
    this.#life = life
  }

  /** Files that the volume lacks. */
  async missing(): Promise<string[]> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    return this.#packs
      .filter((pack) => packParts.some((part) => !existsSync(join(this.#folder, `${pack}${part}`))))
      .flatMap((pack) => packParts.map((part) => `${pack}${part}`))
  }

  /** Takes the next bytes of a file. */
  async take(name: string, piece: Buffer, last: boolean): Promise<void> {
    let unfinished = this.#unfinished.get(name)
    if (unfinished === undefined) {
      const path = join(this.#folder, `tmp-${this.#life}-${name}`)
      unfinished = { file: await open(path, 'wx', 0o600), path }
      this.#unfinished.set(name, unfinished)
    }
    await unfinished.file.write(piece)
    if (!last) return
    this.#unfinished.delete(name)
    await unfinished.file.close()
    await rename(unfinished.path, join(this.#folder, name))
  }

  /** Waits for a file that another keeper is just being brought. Rejects where it does not come. */
  async awaitFile(name: string): Promise<void> {
    const path = join(this.#folder, name)
    for (const sinceMs = Date.now(); !existsSync(path); await delay(20)) {
      if (Date.now() - sinceMs > patienceMs) throw new Error(`${name} was not brought`)
    }
  }

  /** Fills the clone of a sandbox, as this user. Rejects with {@link DamagedPacks}, or as the cloner does. */
  async clone(
    plan: SandboxPlan,
    work: Buffer,
    folder: SandboxFolder,
    owner: { uid: number; gid: number },
  ): Promise<void> {
    // A mirror of its own, so that no other task's packs come with it.
    const mirror = join(folder.scratch, 'mirror')
    const packs = join(mirror, 'objects', 'pack')
    await mkdir(packs, { recursive: true, mode: 0o700 })
    for (const name of this.#packs.flatMap((pack) => packParts.map((part) => `${pack}${part}`))) {
      await symlink(join(this.#folder, name), join(packs, name))
    }
    const clone = createCloner({ path: '/usr/bin:/bin', run, owner })
    try {
      await clone(
        {
          repo: plan.repo,
          sha: plan.sha,
          branch: plan.branch,
          base: plan.base,
          mirror,
          work: plan.headSha === null ? null : { bundle: work, headSha: plan.headSha },
        },
        folder.clone,
        new AbortController().signal,
      )
    } catch (error) {
      if (!existsSync(join(mirror, suspectMark))) throw error
      for (const pack of this.#packs) {
        for (const part of packParts) await rm(join(this.#folder, `${pack}${part}`), { force: true })
      }
      throw new DamagedPacks(error instanceof Error ? error.message : String(error), { cause: error })
    }
  }

  /** Removes what was not finished. */
  async close(): Promise<void> {
    for (const { file, path } of this.#unfinished.values()) {
      await file.close()
      await rm(path, { force: true })
    }
  }
}
