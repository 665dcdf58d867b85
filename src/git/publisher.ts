import { join } from 'node:path'
import type { Log } from '../ports/log.ts'
import type { Publisher, Work } from '../ports/publisher.ts'
import { TooLarge } from '../ports/runtime.ts'
import { readBlob } from './blob.ts'
import { combine } from './combine.ts'
import { diffArguments } from './changes.ts'
import type { CredentialsFor } from './credentials.ts'
import { createGit, GitFailure } from './git-command.ts'
import type { GitPlace } from './git-place.ts'
import { KeptFiles } from './kept-files.ts'
import { repositoryFiles } from './bare-repository.ts'
import { createHttpRefs } from './http-refs.ts'
import { heldAt } from './held-at.ts'
import { createMirrors } from './mirror.ts'
import { push } from './push.ts'
import { isAncestor, rebase } from './rebase.ts'
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
  const refs = createRemoteRefs(git, limits.askMs, createHttpRefs({ ...options, timeoutMs: limits.askMs }))
  const mirrors = createMirrors({ git, log, fetchTimeoutMs: limits.fetchMs, lockWaitMs: limits.lockMs })
  const kept = new KeptFiles((repo, sha, path, maxBytes) =>
    readBlob(git, mirrors.pathOf(repo), { sha, path, maxBytes }),
  )
  const folders = new WeakMap<Work, string>()

  function folderOf(work: Work): string {
    const folder = folders.get(work)
    if (folder === undefined)
      throw new TypeError('only work that this publisher has received can be pushed or moved')
    return folder
  }

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
    async recall(recalled) {
      const { taskId, attempt, repo, baseSha, headSha } = recalled
      await mirrors.ensure(repo, headSha, recalled.branch)
      const mirror = await mirrors.ensure(repo, baseSha, null)
      const folder = workFolder(place.home, taskId, attempt)
      await place.remove(folder)
      await place.write(folder, repositoryFiles(baseSha, mirror))
      const work = await heldAt(git, folder, { taskId, repo, baseSha, headSha })
      folders.set(work, folder)
      return work
    },
    async rebase(work, onto, { message, authorName, authorEmail }) {
      const gitDir = folderOf(work)
      const committer = { name: authorName, email: authorEmail }
      const rebased = await rebase(git, mirrors, work, { gitDir, onto, committer, message })
      if (rebased.kind === 'rebased') folders.set(rebased.work, gitDir)
      return rebased
    },
    combine: (repo, heads, { authorName: name, authorEmail: email }) =>
      combine(git, mirrors, { repo, heads, committer: { name, email } }),
    async baseDiff(work, fromSha, maxBytes) {
      const args = [...diffArguments, '-p', fromSha, work.baseSha, '--']
      const ended = await git.run(folderOf(work), args, { maxStdoutBytes: maxBytes })
      if (ended.exitCode === 0 || ended.ended === 'too_much_output') return ended.stdout
      throw new GitFailure('two commits of the base could not be compared', ended)
    },
    async hasTreeOf(work, commit) {
      await mirrors.ensure(work.repo, commit.sha, commit.branch)
      const names = [`${work.headSha}^{tree}`, `${commit.sha}^{tree}`]
      const out = await git.read(folderOf(work), ['rev-parse', ...names])
      const [one, two] = out.toString('latin1').trim().split('\n')
      return one === two
    },
    async isOn(work, side, commit) {
      const sha = side === 'base' ? work.baseSha : work.headSha
      if (sha === commit.sha) return true
      await mirrors.ensure(work.repo, commit.sha, commit.branch)
      return isAncestor(git, folderOf(work), sha, commit.sha)
    },
    async deleteBranch(work, branch) {
      assertBranch(branch)
      const what = { repo: work.repo, gitDir: folderOf(work), sha: null, branch, expected: work.headSha }
      return push(git, what, limits.pushMs)
    },
    async push(work, target) {
      const gitDir = folderOf(work)
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
