import { join } from 'node:path'
import type { Combined } from '../ports/publisher.ts'
import { readCommit, writeCommit } from './commit-object.ts'
import { GitFailure, type Git } from './git-command.ts'
import type { Mirrors } from './mirror.ts'
import { pathText } from './path-text.ts'
import { isAncestor } from './rebase.ts'

export interface CombineOptions {
  readonly repo: string
  readonly heads: readonly { readonly sha: string; readonly branch: string }[]
  readonly committer: { readonly name: string; readonly email: string }
}

const maxListBytes = 16 * 1024 * 1024

/**
 * Makes one commit of several that the remote has, in our own mirror, and keeps it there. Author, time and order come
 * from the commits themselves: done again, on any machine, it makes the same commit.
 */
export async function combine(git: Git, mirrors: Mirrors, options: CombineOptions): Promise<Combined> {
  const { repo, heads, committer } = options
  for (const { sha, branch } of heads) await mirrors.ensure(repo, sha, branch)
  const gitDir = mirrors.pathOf(repo)
  const [first, ...others] = await tips(git, gitDir, [...new Set(heads.map((head) => head.sha))])
  if (first === undefined) throw new TypeError('there is nothing to combine')
  let at = first
  for (const other of others) {
    const merged = await mergeTree(git, gitDir, at, other)
    if (merged.conflicts.length > 0) return { kind: 'conflict', files: merged.conflicts }
    const lender = await readCommit(git, gitDir, other)
    at = await writeCommit(git, gitDir, {
      ...lender,
      encoding: null,
      message: Buffer.from(`Combine what tasks made that this one needs\n`),
      tree: merged.tree,
      parents: [at, other],
      committer,
    })
  }
  if (at !== first) {
    // Clones are copies of packs: what lies beside them would be missing there.
    const wanted = [at, ...heads.map((head) => `^${head.sha}`)]
    await git.read(gitDir, ['pack-objects', '--revs', '--quiet', join(gitDir, 'objects', 'pack', 'pack')], {
      stdin: `${wanted.join('\n')}\n`,
    })
  }
  await git.read(gitDir, ['update-ref', `refs/pinned/${at}`, at])
  return { kind: 'combined', sha: at }
}

/** Those that none of the others contains. */
async function tips(git: Git, gitDir: string, shas: readonly string[]): Promise<readonly string[]> {
  const kept: string[] = []
  for (const sha of shas) {
    let isContained = false
    for (const other of shas) {
      if (other !== sha && (await isAncestor(git, gitDir, sha, other))) isContained = true
    }
    if (!isContained) kept.push(sha)
  }
  return kept
}

async function mergeTree(
  git: Git,
  gitDir: string,
  ours: string,
  theirs: string,
): Promise<{ tree: string; conflicts: readonly string[] }> {
  const args = [
    'merge-tree',
    '--write-tree',
    '--name-only',
    '--no-messages',
    '--allow-unrelated-histories',
    '-z',
  ]
  const ended = await git.run(gitDir, [...args, ours, theirs], { maxStdoutBytes: maxListBytes })
  if (ended.exitCode !== 0 && ended.exitCode !== 1) {
    throw new GitFailure('the work of two tasks could not be combined', ended)
  }
  const [tree = '', ...names] = ended.stdout.toString('latin1').split('\0')
  const conflicts = names.filter((name) => name !== '').map((name) => pathText(Buffer.from(name, 'latin1')))
  return { tree, conflicts: [...new Set(conflicts)] }
}
