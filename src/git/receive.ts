import { join } from 'node:path'
import { BadWork, type IncomingWork, type Work } from '../ports/publisher.ts'
import type { RunResult } from '../process/run.ts'
import { repositoryFiles } from './bare-repository.ts'
import { parseBundle, type BundleParts } from './bundle.ts'
import { changesArguments, parseChanges, type Changes } from './changes.ts'
import { parseCommit, type CommitObject } from './commit-object.ts'
import { GitFailure, wordsOf, type Git } from './git-command.ts'
import { isFull, type Mirrors } from './mirror.ts'
import { heldWork, maxDiffBytes } from './work.ts'

// A hostile pack can unpack to any size: git may take this much and no more.
const maxMemoryBytes = 6 * 1024 * 1024 * 1024
const maxChangesBytes = 512 * 1024 * 1024
const maxHeadBytes = 256 * 1024
const maxPackOfOneThread = 1024 * 1024

/**
 * Takes a bundle into a clean bare repository whose only alternate is our own mirror. The bundle's one ref is `HEAD`;
 * its prerequisites are commits that the mirror has. Rejects with `BadWork` where the bundle is at fault.
 */
export async function receive(
  git: Git,
  mirrors: Mirrors,
  incoming: IncomingWork,
  gitDir: string,
): Promise<Work> {
  const { baseSha } = incoming
  const bundle = parseBundle(incoming.bundle)
  if (bundle.headSha.length !== baseSha.length) {
    throw new BadWork('the bundle has SHAs of another kind than the repository')
  }
  const mirror = await mirrors.ensure(incoming.repo, baseSha, null)
  const { place } = git
  await place.remove(gitDir)
  await place.write(gitDir, repositoryFiles(baseSha, mirror))
  const desk: Desk = {
    git,
    gitDir,
    baseSha,
    blameMirror: async (ended, what) => {
      if (!ended.stderr.includes(mirror)) return
      await mirrors.suspect(incoming.repo)
      throw new GitFailure(what, ended)
    },
    lostBase: async () => {
      await mirrors.suspect(incoming.repo)
      return new Error(`the mirror ${mirror} has lost the base ${baseSha}; it is made anew at the next try`)
    },
  }
  await unpack(desk, bundle)
  const comparing = changesOf(desk, bundle.headSha)
  // What is wrong with a commit says more than what fails because of it.
  comparing.catch(() => {})
  const head = await checkCommits(desk, bundle)
  const distance = distanceBy(desk, head) ?? (await distanceOf(desk, bundle.headSha))
  const changes = await comparing
  const { taskId, repo } = incoming
  const facts = { ...changes, taskId, repo, baseSha }
  if (distance.missing === 0 && incoming.flatten !== true) {
    const { commits } = distance
    return heldWork(git, gitDir, { ...facts, headSha: bundle.headSha, commits, headCommit: head })
  }
  if (changes.changes.length === 0) return heldWork(git, gitDir, { ...facts, headSha: baseSha, commits: 0 })
  const headSha = await commitTree(git, gitDir, incoming, bundle.headSha)
  return heldWork(git, gitDir, { ...facts, headSha, commits: 1 })
}

interface Desk {
  readonly git: Git
  readonly gitDir: string
  readonly baseSha: string
  /** Throws where git failed on our own mirror, and has that looked through before its next use. */
  blameMirror(ended: RunResult, what: string): Promise<void>
  lostBase(): Promise<Error>
}

/** Where the work of an attempt lies. Throws where the id could be a path. */
export function workFolder(home: string, taskId: string, attempt: number): string {
  if (!/^[0-9A-Za-z_-]{1,64}$/.test(taskId)) throw new TypeError(`${JSON.stringify(taskId)} is not a task id`)
  return join(home, 'publish', `${taskId}-${attempt}.git`)
}

// --strict: every object is checked by fsck, and every object that one names must be there.
async function unpack(desk: Desk, bundle: BundleParts): Promise<void> {
  const ended = await desk.git.run(
    desk.gitDir,
    [...unsynced, 'index-pack', '--stdin', '--fix-thin', '--strict', ...threadsFor(bundle.pack)],
    {
      stdin: bundle.pack,
      maxMemoryBytes,
    },
  )
  if (ended.exitCode === 0) return
  if (isFull(ended)) throw new GitFailure('no space is left to receive the work', ended)
  if (ended.ended === 'aborted') throw new GitFailure('receiving was ended', ended)
  await desk.blameMirror(ended, 'the work could not be received')
  await checkCommits(desk, { ...bundle, headSha: desk.baseSha })
  throw new BadWork(`git cannot take what was handed over: ${wordsOf(ended)}`)
}

/** Threads of git are for large packs: of a small one they are most of the work. */
function threadsFor(pack: Buffer): readonly string[] {
  return pack.length < maxPackOfOneThread ? ['--threads=1'] : []
}

/**
 * That base, head and prerequisites are there, as commits. Only the base is ours to have. Answers the head where it is
 * small enough to come along with the others.
 */
async function checkCommits(desk: Desk, bundle: BundleParts): Promise<CommitObject | null> {
  const { git, gitDir, baseSha, lostBase } = desk
  const wanted = [...new Set([baseSha, bundle.headSha, ...bundle.prerequisites])]
  const infos = wanted.map((sha) => `info ${sha}\n`).join('')
  const ended = await git.run(gitDir, ['cat-file', '--batch-command'], {
    // Behind all the others: where it is too long, nothing else is lost.
    stdin: `${infos}contents ${bundle.headSha}\n`,
    maxStdoutBytes: infos.length * 2 + maxHeadBytes,
  })
  if (ended.exitCode !== 0 && ended.ended !== 'too_much_output')
    throw new GitFailure('the commits of the work could not be looked at', ended)
  let at = 0
  const nextLine = () => {
    const end = ended.stdout.indexOf(0x0a, at)
    const line = ended.stdout.toString('latin1', at, end === -1 ? at : end)
    at = end + 1
    return line
  }
  for (const sha of wanted) {
    const line = nextLine()
    if (line.startsWith(`${sha} commit `)) continue
    if (sha === baseSha) throw await lostBase()
    const what = sha === bundle.headSha ? 'the head of the work' : 'a commit that the work builds on'
    throw new BadWork(`${what} is missing or no commit: ${line === '' ? sha : line}`)
  }
  const bytes = Number(nextLine().split(' ')[2])
  const head = ended.stdout.subarray(at, at + bytes)
  return head.length === bytes ? parseCommit(head) : null
}

/** Most work is one commit on the base: for that nothing has to be counted. */
function distanceBy({ baseSha }: Desk, head: CommitObject | null): { missing: 0; commits: 1 } | null {
  const [parent, ...others] = head?.parents ?? []
  return parent === baseSha && others.length === 0 ? { missing: 0, commits: 1 } : null
}

async function distanceOf(desk: Desk, headSha: string): Promise<{ missing: number; commits: number }> {
  const out = await read(desk, ['rev-list', '--count', '--left-right', `${desk.baseSha}...${headSha}`, '--'])
  const [, missing, commits] = /^(\d+)\t(\d+)\n$/.exec(out.toString('latin1')) ?? []
  if (missing === undefined || commits === undefined)
    throw new Error('git rev-list printed something unknown')
  return { missing: Number(missing), commits: Number(commits) }
}

// Most diffs are small, and come with the list: that saves a process. Of a large one only the list is asked for again.
async function changesOf(desk: Desk, headSha: string): Promise<Changes> {
  const commits = [desk.baseSha, headSha, '--']
  const both = await desk.git.run(desk.gitDir, [...changesArguments, '-p', ...commits], {
    maxMemoryBytes,
    maxStdoutBytes: maxDiffBytes,
  })
  if (both.exitCode === 0) return parseChanges(both.stdout)
  return parseChanges(await read(desk, [...changesArguments, ...commits]))
}

// What was received is whole and checked: git fails on it only where it is made to wear git out.
async function read(desk: Desk, args: readonly string[]): Promise<Buffer> {
  const ended = await desk.git.run(desk.gitDir, args, { maxMemoryBytes, maxStdoutBytes: maxChangesBytes })
  if (ended.exitCode === 0) return ended.stdout
  if (ended.ended === 'too_much_output') throw new BadWork('the work changes too many files to be judged')
  await desk.blameMirror(ended, 'the work could not be compared with its base')
  throw new BadWork(`git cannot compare the work with its base: ${wordsOf(ended)}`)
}

async function commitTree(
  git: Git,
  gitDir: string,
  incoming: IncomingWork,
  headSha: string,
): Promise<string> {
  const { message, authorName, authorEmail } = incoming.commit
  const args = [...unsynced, 'commit-tree', '-p', incoming.baseSha, '-F', '-', `${headSha}^{tree}`]
  const out = await git.read(gitDir, args, {
    // Git refuses a NUL in a message.
    stdin: message.replaceAll('\0', ''),
    env: {
      GIT_AUTHOR_NAME: authorName,
      GIT_AUTHOR_EMAIL: authorEmail,
      GIT_COMMITTER_NAME: authorName,
      GIT_COMMITTER_EMAIL: authorEmail,
    },
  })
  return out.toString('latin1').trim()
}

// What lies here can be made again from the bundle, so no crash has to be survived.
const unsynced = ['-c', 'core.fsync=none'] as const
