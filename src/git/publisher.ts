import { join } from 'node:path'
import type { Log } from '../ports/log.ts'
import type { Publisher, Work } from '../ports/publisher.ts'
import { TooLarge } from '../ports/runtime.ts'
import { readBlob } from './blob.ts'
import type { CredentialsFor } from './credentials.ts'
import { createGit } from './git-command.ts'
import type { GitPlace } from './git-place.ts'
import { KeptFiles } from './kept-files.ts'
import { createMirrors } from './mirror.ts'
import { push } from './push.ts'
import { receive, workFolder } from './receive.ts'
import { assertBranch, createRemoteRefs } from './remote-refs.ts'

export interface PublisherOptions {
  readonly place: GitPlace
  /** PATH of git and what it starts. */
  readonly path: string
  /** Proxy, certificate and ssh agent variables for connections. */
  readonly passThrough: Readonly<Record<string, string>>
  readonly credentialsFor: CredentialsFor
  readonly log: Log
  readonly limits?: Partial<PublisherLimits>
}

/** Milliseconds that git gets. */
export interface PublisherLimits {
  readonly askMs: number
  readonly fetchMs: number
  readonly pushMs: number
  /** For another process to let go of a mirror. */
  readonly lockMs: number
}

const minuteMs = 60_000
const defaultLimits: PublisherLimits = {
  askMs: 2 * minuteMs,
  fetchMs: 60 * minuteMs,
  pushMs: 30 * minuteMs,
  lockMs: 60 * minuteMs,
}

/**
 * Opens the publisher in a place of its own. A bundle for `receive` has one ref, `HEAD` (`git bundle create FILE HEAD
 * ^BASE`), and so has the one that `Work.bundle()` gives: saved work is received in the same way. A second `receive`
 * of the same attempt replaces the first, whose `Work` cannot be read any more.
 */
export async function createPublisher(options: PublisherOptions): Promise<Publisher> {
  const { place, log } = options
  const limits = { ...defaultLimits, ...options.limits }
  const git = await createGit(options)
  const refs = createRemoteRefs(git, limits.askMs)
  const mirrors = createMirrors({ git, log, fetchTimeoutMs: limits.fetchMs, lockWaitMs: limits.lockMs })
  const kept = new KeptFiles((repo, sha, path, maxBytes) =>
    readBlob(git, mirrors.pathOf(repo), { sha, path, maxBytes }),
  )
  const folders = new WeakMap<Work, string>()

  return {
    ...refs,
    mirror: (repo, sha, branch) => mirrors.ensure(repo, sha, branch),
    async readFile(repo, sha, path, maxBytes) {
      const blob = await kept.read(repo, sha, path, maxBytes)
      if (blob !== null && blob.size > maxBytes) throw new TooLarge(maxBytes)
      return blob?.content ?? null
    },
    async receive(incoming) {
      const folder = workFolder(place.home, incoming.taskId, incoming.attempt)
      const work = await receive(git, mirrors, incoming, folder)
      folders.set(work, folder)
      return work
    },
    async push(work, target) {
      const gitDir = folders.get(work)
      if (gitDir === undefined)
        throw new TypeError('only work that this publisher has received can be pushed')
      assertBranch(target.branch)
      return push(git, { repo: work.repo, gitDir, sha: work.headSha, ...target }, limits.pushMs)
    },
    async discard(taskId, attempt) {
      try {
        const folder = join(place.home, 'publish')
        const names = await place.list(folder)
        const own = names.filter((name) => {
          const number = name.startsWith(taskId) ? /^-(\d+)\.git$/.exec(name.slice(taskId.length)) : null
          return number !== null && Number(number[1]) <= attempt
        })
        for (const name of own) await place.remove(join(folder, name))
      } catch (error) {
        log.warn('received work could not be removed', { taskId, error: String(error) })
      }
    },
  }
}
