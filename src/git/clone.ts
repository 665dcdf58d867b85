import { constants, mkdirSync, writeFileSync } from 'node:fs'
import { chown, copyFile, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isBranchName } from '../model/branch-name.ts'
import { RuntimeFailure, type CloneSource } from '../ports/runtime.ts'
import type { Run } from '../process/spawner.ts'
import { formatOf, suspectMark } from './bare-repository.ts'
import { parseBundle } from './bundle.ts'
import { wordsOf } from './git-command.ts'

export interface ClonerOptions {
  /** PATH of git. */
  readonly path: string
  /** Starts git. */
  readonly run: Run
  /** Who owns the clone and runs git for it; `null`: this process's own user. */
  readonly owner: { readonly uid: number; readonly gid: number } | null
}

/** Fills an empty folder with a clone. Rejects with `RuntimeFailure`; after an abort, with the signal's reason. */
export type Cloner = (source: CloneSource, folder: string, signal: AbortSignal) => Promise<void>

const timeoutMs = 30 * 60_000
const copyTries = 5

/**
 * Clones from a mirror on this machine, into files that nothing else shares: its packs are copied, and one process of
 * git writes the tree (two where work comes on top). The clone has one branch, the base as `origin/<base>` and
 * `origin/HEAD`, and no hooks.
 */
export function createCloner(options: ClonerOptions): Cloner {
  return async (source, folder, signal) => {
    for (const name of [source.branch, source.base]) {
      if (!isBranchName(name)) throw new RuntimeFailure(`${name} is not a branch name`)
    }
    const gitDir = join(folder, '.git')
    let pack: Buffer | null = null
    try {
      if (source.work !== null) pack = parseBundle(source.work.bundle).pack
      layOut(source, gitDir)
      await copyPacks(source.mirror, gitDir, signal)
      if (options.owner !== null) await giveAway(folder, options.owner)
    } catch (error) {
      signal.throwIfAborted()
      throw new RuntimeFailure(`the clone could not be made: ${String(error)}`, { cause: error })
    }
    if (pack !== null) await runGit(['index-pack', '--stdin', '--fix-thin'], pack)
    await runGit(['read-tree', '--reset', '-u', source.work?.headSha ?? source.sha])

    async function runGit(args: readonly string[], stdin?: Buffer): Promise<void> {
      const ended = await options.run(['git', `--git-dir=${gitDir}`, `--work-tree=${folder}`, ...args], {
        cwd: folder,
        env: { ...cloneEnvironment, PATH: options.path },
        timeoutMs,
        signal,
        ...(stdin === undefined ? {} : { stdin }),
        ...options.owner,
      })
      if (ended.exitCode === 0) return
      signal.throwIfAborted()
      if (damage.test(ended.stderr)) await markSuspect(source.mirror)
      throw new RuntimeFailure(`the clone could not be made: git ${args[0]}: ${wordsOf(ended)}`)
    }
  }
}

// In the environment and not in a file: the owner of the clone may not be able to read our files.
const cloneSettings = {
  'safe.directory': '*',
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.attributesFile': '/dev/null',
  // Nothing here outlives its task.
  'core.fsync': 'none',
  'submodule.recurse': 'false',
}
const cloneEnvironment: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  HOME: '/nonexistent',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_ALLOW_PROTOCOL: '',
  GIT_CONFIG_COUNT: String(Object.keys(cloneSettings).length),
  ...Object.fromEntries(
    Object.entries(cloneSettings).flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ),
}

// What git says of objects that are missing or broken: the mirror is looked through before its next use.
const damage =
  /unable to read|bad object|not a tree object|failed to unpack tree|inflate|packfile|corrupt|missing|does not match index|unresolved delta|not a valid object/i

async function markSuspect(mirror: string): Promise<void> {
  // The clone has failed already, and says so; a mirror that is gone needs no mark.
  await writeFile(join(mirror, suspectMark), '').catch(() => {})
}

// A few small files: done sooner than handed to a thread.
function layOut(source: CloneSource, gitDir: string): void {
  const sha = source.work?.headSha ?? source.sha
  const branchFile = join(gitDir, 'refs', 'heads', source.branch)
  mkdirSync(join(gitDir, 'objects', 'pack'), { recursive: true })
  mkdirSync(join(gitDir, 'objects', 'info'))
  mkdirSync(dirname(branchFile), { recursive: true })
  writeFileSync(branchFile, `${sha}\n`)
  writeFileSync(join(gitDir, 'HEAD'), `ref: refs/heads/${source.branch}\n`)
  const remote = join(gitDir, 'refs', 'remotes', 'origin')
  mkdirSync(remote, { recursive: true })
  writeFileSync(join(gitDir, 'packed-refs'), `${source.sha} refs/remotes/origin/${source.base}\n`)
  writeFileSync(join(remote, 'HEAD'), `ref: refs/remotes/origin/${source.base}\n`)
  const url = source.repo.replaceAll('\\', '\\\\').replaceAll('"', '\\"')
  const config = [
    // Nothing here outlives its task: commits in a sandbox need not wait for the disk.
    `${formatOf(sha)}\tfsync = none\n\tfileMode = true\n\tbare = false\n\tlogAllRefUpdates = true\n`,
    // The files change hands after they were written: without this, the first `git add` reads every one of them again.
    '\tcheckStat = minimal\n\ttrustctime = false\n',
    `[remote "origin"]\n\turl = "${url}"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n`,
  ]
  writeFileSync(join(gitDir, 'config'), config.join(''))
}

/** Copies the mirror's objects; where another process tidies them up meanwhile, begins again. */
async function copyPacks(mirror: string, gitDir: string, signal: AbortSignal): Promise<void> {
  const from = join(mirror, 'objects', 'pack')
  const to = join(gitDir, 'objects', 'pack')
  for (let left = copyTries; ; left -= 1) {
    signal.throwIfAborted()
    try {
      // Git writes the index last and removes it first: where there is one, its pack is whole.
      const packs = (await readdir(from)).filter((name) => name.endsWith('.idx'))
      for (const index of packs) {
        const pack = `${index.slice(0, -'.idx'.length)}.pack`
        await copyFile(join(from, pack), join(to, pack), constants.COPYFILE_FICLONE)
        await copyFile(join(from, index), join(to, index), constants.COPYFILE_FICLONE)
      }
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || left <= 1) throw error
    }
  }
}

/** Hands over a folder with all that it holds, which is a few files. */
async function giveAway(folder: string, owner: { uid: number; gid: number }): Promise<void> {
  await chown(folder, owner.uid, owner.gid)
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    await chown(join(entry.parentPath, entry.name), owner.uid, owner.gid)
  }
}
