import { join } from 'node:path'
import { BadWork, type IncomingWork, type Work } from '../ports/publisher.ts'
import { repositoryFiles } from './bare-repository.ts'
import { parseBundle, type BundleParts } from './bundle.ts'
import { changesArguments, parseChanges, type Changes } from './changes.ts'
import { GitFailure, wordsOf, type Git } from './git-command.ts'
import { isFull, type Mirrors } from './mirror.ts'
import { heldWork } from './work.ts'

// A hostile pack can unpack to any size: git may take this much and no more.
const maxMemoryBytes = 6 * 1024 * 1024 * 1024
const maxChangesBytes = 512 * 1024 * 1024

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
  await git.place.remove(gitDir)
  await git.place.write(gitDir, repositoryFiles(baseSha, mirror))
  await unpack(git, gitDir, bundle, baseSha)

  const [, distance, changes] = await Promise.all([
    checkCommits(git, gitDir, bundle, baseSha),
    distanceOf(git, gitDir, baseSha, bundle.headSha),
    changesOf(git, gitDir, baseSha, bundle.headSha),
  ])
  const { taskId, repo } = incoming
  const facts = { ...changes, taskId, repo, baseSha }
  if (distance.missing === 0) {
    return heldWork(git, gitDir, { ...facts, headSha: bundle.headSha, commits: distance.commits })
  }
  if (changes.changes.length === 0) return heldWork(git, gitDir, { ...facts, headSha: baseSha, commits: 0 })
  const headSha = await commitTree(git, gitDir, incoming, bundle.headSha)
  return heldWork(git, gitDir, { ...facts, headSha, commits: 1 })
}

/** Where the work of an attempt lies. Throws where the id could be a path. */
export function workFolder(home: string, taskId: string, attempt: number): string {
  if (!/^[0-9A-Za-z_-]{1,64}$/.test(taskId)) throw new TypeError(`${JSON.stringify(taskId)} is not a task id`)
  return join(home, 'publish', `${taskId}-${attempt}.git`)
}

// --strict: every object is checked by fsck, and every object that one names must be there.
async function unpack(git: Git, gitDir: string, bundle: BundleParts, baseSha: string): Promise<void> {
  const ended = await git.run(gitDir, [...unsynced, 'index-pack', '--stdin', '--fix-thin', '--strict'], {
    stdin: bundle.pack,
    maxMemoryBytes,
  })
  if (ended.exitCode === 0) return
  if (isFull(ended)) throw new GitFailure('no space is left to receive the work', ended)
  if (ended.ended === 'aborted') throw new GitFailure('receiving was ended', ended)
  await checkCommits(git, gitDir, { ...bundle, headSha: baseSha }, baseSha)
  throw new BadWork(`git cannot take what was handed over: ${wordsOf(ended)}`)
}

/** That base, head and prerequisites are there, as commits. Only the base is ours to have. */
async function checkCommits(git: Git, gitDir: string, bundle: BundleParts, baseSha: string): Promise<void> {
  const wanted = [...new Set([baseSha, bundle.headSha, ...bundle.prerequisites])]
  const out = await git.read(gitDir, ['cat-file', '--batch-check'], { stdin: `${wanted.join('\n')}\n` })
  const lines = out.toString('latin1').split('\n')
  for (const [index, sha] of wanted.entries()) {
    if (lines[index]?.startsWith(`${sha} commit `) === true) continue
    if (sha === baseSha) throw new Error(`the mirror of the repository has lost the base ${sha}`)
    const what = sha === bundle.headSha ? 'the head of the work' : 'a commit that the work builds on'
    throw new BadWork(`${what} is missing or no commit: ${lines[index] ?? sha}`)
  }
}

async function distanceOf(
  git: Git,
  gitDir: string,
  baseSha: string,
  headSha: string,
): Promise<{ missing: number; commits: number }> {
  const args = ['rev-list', '--count', '--left-right', `${baseSha}...${headSha}`, '--']
  const [missing, commits] = (await read(git, gitDir, args)).toString('latin1').trim().split('\t').map(Number)
  return { missing: missing ?? Number.NaN, commits: commits ?? Number.NaN }
}

async function changesOf(git: Git, gitDir: string, baseSha: string, headSha: string): Promise<Changes> {
  return parseChanges(await read(git, gitDir, [...changesArguments, baseSha, headSha, '--']))
}

// What was received is whole and checked: git fails on it only where it is made to wear git out.
async function read(git: Git, gitDir: string, args: readonly string[]): Promise<Buffer> {
  const ended = await git.run(gitDir, args, { maxMemoryBytes, maxStdoutBytes: maxChangesBytes })
  if (ended.exitCode === 0) return ended.stdout
  if (ended.ended === 'too_much_output') throw new BadWork('the work changes too many files to be judged')
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
