import { readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import type { Door, Located, Repositories } from '../ports/repositories.ts'
import { isAddress, readUrl } from './repository-url.ts'

export interface RepositoriesOptions {
  /** Folders from which REST may name local repositories; absolute. */
  readonly repoRoots: readonly string[]
  /** What relative paths from the terminal are relative to. */
  readonly cwd: string
}

/** Decides which repositories may be named, without asking git or the network. Never throws. */
export function createRepositories({ repoRoots, cwd }: RepositoriesOptions): Repositories {
  return {
    async locate(repo, door) {
      // oxlint-disable-next-line no-control-regex -- exactly these must not get into a command or a terminal
      if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(repo))
        return refused('an address has no control characters')
      if (repo === '' || repo !== repo.trim())
        return refused('an address does not begin or end with spaces, nor is it empty')
      if (repo.startsWith('-'))
        return refused('an address does not begin with a dash; write ./ before the name of a folder')
      const read = isAddress(repo) ? readUrl(repo) : ({ kind: 'path', path: repo } as const)
      switch (read.kind) {
        case 'refused':
          return refused(read.message)
        case 'remote':
          return { ok: true, repo: read.url, local: read.local }
        case 'path':
          return locateFolder(read.path, door)
        default:
          return read satisfies never
      }
    },
  }

  async function locateFolder(path: string, door: Door): Promise<Located> {
    if (door === 'terminal') return locateOnTerminal(resolve(cwd, path))
    if (!isAbsolute(path)) return refused('a path must be absolute; or use https:// or ssh://')
    const outside = refused(
      repoRoots.length === 0
        ? 'paths of this machine are not taken, since NIGHTSHIFT_REPO_ROOTS names no folder; use https:// or ssh://'
        : 'the path is not below a folder that NIGHTSHIFT_REPO_ROOTS names',
    )
    const roots = await Promise.all(repoRoots.map(realPath))
    const isInside = (real: string) =>
      roots.some((root) => root !== null && (root === '/' || real === root || real.startsWith(`${root}/`)))
    const real = await realPath(path)
    // Outside of the roots nobody learns what there is and what not.
    if (real === null) {
      return repoRoots.some((root) => below(root, resolve(path)))
        ? refused(`there is no folder ${path}`)
        : outside
    }
    if (!isInside(real)) return outside
    const folder = await repositoryAt(real)
    if (folder === null) return refused(`there is no git repository in ${path}`)
    return folder.parts.every(isInside) && isInside(folder.path) ? accepted(folder.path) : outside
  }
}

async function locateOnTerminal(path: string): Promise<Located> {
  const real = await realPath(path)
  if (real === null) return refused(`there is no folder ${path}`)
  // As git itself does: a folder within a checkout stands for the checkout.
  for (let folder = real; ; folder = dirname(folder)) {
    const found = await repositoryAt(folder)
    if (found !== null) return accepted(found.path)
    if (folder === dirname(folder)) break
  }
  return refused(`${path} is not in a git repository; type git init there, or name another folder`)
}

interface Found {
  /** The checkout, or the bare repository. */
  readonly path: string
  /** The folders that it is kept in. */
  readonly parts: readonly string[]
}

/** The repository whose top level is this folder; `null`: there is none. */
async function repositoryAt(folder: string): Promise<Found | null> {
  const dotGit = join(folder, '.git')
  const inside = await realPath(dotGit)
  if (inside !== null) {
    const gitDir = await gitDirOf(folder, inside)
    return gitDir === null ? null : { path: folder, parts: await partsOf(gitDir) }
  }
  if (!(await isGitDir(folder))) return null
  const checkout = basename(folder) === '.git' ? dirname(folder) : folder
  return { path: checkout, parts: await partsOf(folder) }
}

/** What `.git` stands for: itself, or the folder that it names where it is a file (worktrees, submodules). */
async function gitDirOf(folder: string, dotGit: string): Promise<string | null> {
  if (await isGitDir(dotGit)) return dotGit
  const named = /^gitdir: (.+?)\n*$/s.exec(await textOf(dotGit))?.[1]
  const target = named === undefined ? null : await realPath(resolve(folder, named))
  return target !== null && (await isGitDir(target)) ? target : null
}

/** Every folder that git would read objects and refs from. */
async function partsOf(gitDir: string): Promise<string[]> {
  const common = (await textOf(join(gitDir, 'commondir'))).trim()
  const home = common === '' ? gitDir : await realPath(resolve(gitDir, common))
  const parts = [gitDir, home ?? '/']
  for (const name of ['objects', 'objects/pack', 'objects/info', 'refs', 'packed-refs', 'HEAD', 'config']) {
    parts.push((await realPath(join(home ?? gitDir, name))) ?? gitDir)
  }
  const objects = join(home ?? gitDir, 'objects')
  const alternates = (await textOf(join(objects, 'info', 'alternates')))
    .split('\n')
    .filter((line) => line !== '')
  for (const line of alternates) parts.push((await realPath(resolve(objects, line))) ?? '/')
  return parts
}

async function isGitDir(folder: string): Promise<boolean> {
  const has = (name: string) =>
    stat(join(folder, name)).then(
      () => true,
      () => false,
    )
  if (!(await has('HEAD'))) return false
  if (await has('commondir')) return true
  return (await has('objects')) && (await has('refs'))
}

async function textOf(path: string): Promise<string> {
  try {
    const found = await stat(path)
    // Anything else, such as a pipe, may keep its reader waiting for ever.
    return found.isFile() && found.size <= 64 * 1024 ? await readFile(path, 'utf8') : ''
  } catch {
    return ''
  }
}

async function realPath(path: string): Promise<string | null> {
  try {
    return await realpath(path)
  } catch {
    return null
  }
}

function below(root: string, path: string): boolean {
  return path === root || path.startsWith(root === '/' ? root : `${root}/`)
}

async function accepted(path: string): Promise<Located> {
  // oxlint-disable-next-line no-control-regex -- a link may lead to a folder of such a name
  if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(path)) return refused('the real path has control characters')
  return { ok: true, repo: path, local: true }
}

function refused(message: string): Located {
  return { ok: false, message }
}
