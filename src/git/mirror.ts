import { createHash } from 'node:crypto'
import { join } from 'node:path'
import pLimit, { type LimitFunction } from 'p-limit'
import type { Log } from '../ports/log.ts'
import { RemoteFailure } from '../ports/publisher.ts'
import type { RunResult } from '../process/run.ts'
import { repositoryFiles, suspectMark } from './bare-repository.ts'
import { wordsOf, GitFailure, type Git } from './git-command.ts'
import { anyRemoteFailure, remoteFailure } from './remote-fault.ts'

/** Bare copies of remotes on this machine, one a repository, that hold pinned commits and nothing else. */
export interface Mirrors {
  pathOf(repo: string): string
  /**
   * Makes sure that the commit and its history are there, and stay. Asks the remote only where they are not. Answers
   * the mirror's path. Rejects with `RemoteFailure`, or with an error of the machine (disk, lock).
   */
  ensure(repo: string, sha: string, branch: string | null): Promise<string>
  /** Has the mirror looked through before its next use, and made anew where it is damaged. */
  suspect(repo: string): Promise<void>
}

export interface MirrorOptions {
  readonly git: Git
  readonly log: Log
  readonly fetchTimeoutMs: number
  /** How long another process may hold the mirror before this one gives up. */
  readonly lockWaitMs: number
}

const findOptions = { env: { PATH: '/usr/bin:/bin' }, timeoutMs: 60_000 }
const maxPacks = 30
const pinDays = 30

/**
 * A mirror's only refs are `refs/pinned/<sha>`, one for each commit that a task started from: so no clean-up drops
 * it when the base is force-pushed, and no other branch gets into a clone. A pin is a file, its time the last use.
 */
export function createMirrors({ git, log, fetchTimeoutMs, lockWaitMs }: MirrorOptions): Mirrors {
  const { place } = git
  const turns = new Map<string, LimitFunction>()
  const shared = new Map<string, Promise<void>>()

  const pathOf = (repo: string) =>
    join(place.home, 'mirrors', `${createHash('sha256').update(repo).digest('hex')}.git`)

  async function holds(path: string, sha: string): Promise<boolean> {
    return (
      (await place.touch(join(path, 'refs', 'pinned', sha))) && !(await place.touch(join(path, suspectMark)))
    )
  }

  async function bring(repo: string, sha: string, branch: string | null): Promise<void> {
    const path = pathOf(repo)
    await place.makeFolder(join(place.home, 'mirrors'))
    await place.withLock(`${path}.lock`, lockWaitMs, async () => {
      if (await holds(path, sha)) return
      if (await place.touch(join(path, suspectMark))) await mend(path)
      const ended = await fetchInto(path, repo, sha, branch)
      if (ended === null) return
      if (await passes(ended, path)) {
        const again = await fetchInto(path, repo, sha, branch)
        if (again !== null) throw failureOf(again, repo, branch)
        return
      }
      throw failureOf(ended, repo, branch)
    })
  }

  /** Whether the cause of a failed fetch lay in the mirror, and is mended. */
  async function passes(ended: RunResult, path: string): Promise<boolean> {
    if (ended.ended !== 'exited' || isFull(ended)) return false
    if (/\.lock'?: File exists/.test(ended.stderr)) {
      // Left by a process that was killed: this one holds the lock that they all work under.
      await place.run(['find', path, '-name', '*.lock', '-delete'], findOptions)
      return true
    }
    const isRemote = remoteFailure(ended, '') !== null || isGone(ended)
    // Words about a remote, unless they name the mirror itself.
    return isRemote && !ended.stderr.includes(path) ? false : mend(path)
  }

  /** Looks through the whole mirror; removes it where it is damaged. Answers whether it did. */
  async function mend(path: string): Promise<boolean> {
    const ended = await git.run(path, ['fsck', '--full', '--no-dangling', '--no-progress'], {
      timeoutMs: fetchTimeoutMs,
    })
    if (ended.exitCode === 0) {
      await place.remove(join(path, suspectMark))
      return false
    }
    log.warn('a damaged mirror is made anew', { path, git: wordsOf(ended) })
    await place.remove(path)
    return true
  }

  /** Fetches and pins. Answers `null` when it is done, else how git ended. */
  async function fetchInto(
    path: string,
    repo: string,
    sha: string,
    branch: string | null,
  ): Promise<RunResult | null> {
    if (!(await place.touch(join(path, 'HEAD')))) await place.write(path, repositoryFiles(sha))
    const pin = `refs/pinned/${sha}`
    const asked = await fetchRef(path, repo, `+${sha}:${pin}`)
    if (asked.exitCode === 0) {
      await tidy(path)
      return null
    }
    if (!isGone(asked) || branch === null) return asked
    // Servers that speak only the old protocol hand out no commit but the tips: it may lie below the branch's.
    const tip = `refs/fetched/${branch}`
    const fetched = await fetchRef(path, repo, `+refs/heads/${branch}:${tip}`)
    if (fetched.exitCode !== 0) return fetched
    const pinned = await git.run(path, ['update-ref', pin, sha])
    await git.run(path, ['update-ref', '-d', tip])
    return pinned.exitCode === 0 ? null : asked
  }

  function fetchRef(path: string, repo: string, refspec: string): Promise<RunResult> {
    return git.connect(
      repo,
      path,
      // oxfmt-ignore
      [
        'fetch', '--quiet', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head',
        '--no-auto-maintenance', '--refmap=', '--', repo, refspec,
      ],
      { timeoutMs: fetchTimeoutMs },
    )
  }

  /** Keeps packs and pins few. No object is ever dropped: a running task may need it. Never throws. */
  async function tidy(path: string): Promise<void> {
    try {
      const names = await place.list(join(path, 'objects', 'pack'))
      if (names.filter((name) => name.endsWith('.pack')).length <= maxPacks) return
      const old = (...args: string[]) =>
        place.run(['find', ...args, '-mtime', `+${pinDays}`, '-delete'], findOptions)
      await old(join(path, 'refs', 'pinned'), '-type', 'f')
      await old(join(path, 'objects', 'pack'), '-name', 'tmp_*')
      await git.read(path, ['repack', '--geometric=2', '-d', '--quiet'], { timeoutMs: fetchTimeoutMs })
    } catch (error) {
      log.warn('a mirror could not be tidied', { path, error: String(error) })
    }
  }

  return {
    pathOf,
    suspect: (repo) => place.write(pathOf(repo), { [suspectMark]: '' }),
    async ensure(repo, sha, branch) {
      const path = pathOf(repo)
      if (await holds(path, sha)) return path
      const key = `${path} ${sha}`
      let bringing = shared.get(key)
      if (bringing === undefined) {
        const turn = turns.get(path) ?? pLimit(1)
        turns.set(path, turn)
        bringing = turn(() => bring(repo, sha, branch)).finally(() => shared.delete(key))
        shared.set(key, bringing)
      }
      await bringing
      return path
    },
  }
}

/** Whether git said that the disk is full. */
export function isFull(ended: RunResult): boolean {
  return /No space left on device|Disk quota exceeded/i.test(ended.stderr)
}

// The remote has answered, and does not have the commit, or does not give it away by name.
function isGone(ended: RunResult): boolean {
  return /not our ref|couldn't find remote ref|unadvertised object|did not contain/i.test(ended.stderr)
}

function failureOf(ended: RunResult, repo: string, branch: string | null): Error {
  if (isFull(ended)) return new GitFailure('no space is left for the mirror', ended)
  if (isGone(ended)) {
    const message = `${repo}: the remote does not have the commit any more (${wordsOf(ended)})`
    return new RemoteFailure('branch_not_found', { repo, branch, message })
  }
  return anyRemoteFailure(ended, repo, branch)
}
