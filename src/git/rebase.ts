import type { Rebased, Work } from '../ports/publisher.ts'
import { makeBundle } from './bundle.ts'
import { readCommit, writeCommit, type CommitObject } from './commit-object.ts'
import { heldAt } from './held-at.ts'
import { GitFailure, type Git } from './git-command.ts'
import type { Mirrors } from './mirror.ts'
import { pathText } from './path-text.ts'

const maxPackBytes = 512 * 1024 * 1024
const maxPatchBytes = 64 * 1024 * 1024

export interface RebaseOptions {
  readonly gitDir: string
  readonly onto: { readonly sha: string; readonly branch: string }
  readonly committer: { readonly name: string; readonly email: string }
  /** Of the one commit that the work becomes, where its commits cannot be kept apart. */
  readonly message: string
}

/**
 * Brings received work onto a later commit of its base, in the clean repository that holds it: no work tree, no hook,
 * no filter, no merge driver. A commit is picked by a three-way merge whose base is a stand-in for its parent, since
 * git 2.39 can be told no merge base. Done again, it makes the same commits.
 */
export async function rebase(git: Git, mirrors: Mirrors, work: Work, how: RebaseOptions): Promise<Rebased> {
  await mirrors.ensure(work.repo, how.onto.sha, how.onto.branch)
  if (await isAncestor(git, how.gitDir, how.onto.sha, work.headSha)) return { kind: 'contained' }
  const desk: Desk = { git, ...how, work, top: await readCommit(git, how.gitDir, work.headSha) }
  // What conflicts commit by commit may go together as a whole, and so may what has merges in it.
  const headSha = (await pickEach(desk)) ?? (await pickWhole(desk))
  if (headSha === null) return conflict(desk)
  const moved = await heldAt(git, how.gitDir, { ...identity(work), baseSha: how.onto.sha, headSha })
  if (moved.empty) return { kind: 'nothing_left' }
  return { kind: 'rebased', work: moved, unlike: await unlikePatches(desk, headSha) }
}

interface Desk extends RebaseOptions {
  readonly git: Git
  readonly work: Work
  /** The head, which lends author and time to commits that are made anew. */
  readonly top: CommitObject
}

function identity(work: Work) {
  return { taskId: work.taskId, repo: work.repo }
}

/** Whether the first commit is the second, or one before it. */
export async function isAncestor(git: Git, gitDir: string, sha: string, of: string): Promise<boolean> {
  const ended = await git.run(gitDir, ['merge-base', '--is-ancestor', sha, of])
  if (ended.exitCode === 0 || ended.exitCode === 1) return ended.exitCode === 0
  throw new GitFailure('two commits could not be compared', ended)
}

/** Each commit on the one before it; `null`: there are merges among them, or one conflicts. */
async function pickEach(desk: Desk): Promise<string | null> {
  const { git, gitDir, work } = desk
  const range = `${work.baseSha}..${work.headSha}`
  const out = await git.read(gitDir, ['rev-list', '--reverse', '--topo-order', '--parents', range, '--'])
  const rows = out
    .toString('latin1')
    .trim()
    .split('\n')
    .map((row) => row.split(' '))
  if (rows.some((row) => row.length !== 2)) return null
  let at = desk.onto.sha
  for (const [sha = '', parent = ''] of rows) {
    const merged = await mergeTrees(desk, { base: parent, ours: at, theirs: sha })
    if (merged.conflicts.length > 0) return null
    // What the base has already is not done twice.
    if (merged.tree === (await treeOf(desk, at))) continue
    const commit = await readCommit(git, gitDir, sha)
    at = await writeCommit(git, gitDir, {
      ...commit,
      tree: merged.tree,
      parents: [at],
      committer: desk.committer,
    })
  }
  return at
}

/** All of the work as one commit; `null`: it conflicts. */
async function pickWhole(desk: Desk): Promise<string | null> {
  const { work, onto } = desk
  const merged = await mergeTrees(desk, { base: work.baseSha, ours: onto.sha, theirs: work.headSha })
  return merged.conflicts.length > 0 ? null : commitWhole(desk, merged.tree)
}

function commitWhole(desk: Desk, tree: string): Promise<string> {
  const { git, gitDir, top, onto, committer } = desk
  const message = Buffer.from(desk.message.replaceAll('\0', ''))
  return writeCommit(git, gitDir, { ...top, encoding: null, message, tree, parents: [onto.sha], committer })
}

/** The whole work on the new base, both sides standing in the files where they do not go together. */
async function conflict(desk: Desk): Promise<Rebased> {
  const { git, gitDir, work, onto } = desk
  const merged = await mergeTrees(desk, { base: work.baseSha, ours: onto.sha, theirs: work.headSha })
  const headSha = await commitWhole(desk, merged.tree)
  const pack = await git.read(gitDir, ['pack-objects', '--revs', '--thin', '--stdout', '--quiet'], {
    stdin: `${headSha}\n^${onto.sha}\n`,
    maxStdoutBytes: maxPackBytes,
  })
  const bundle = makeBundle({ headSha, prerequisites: [onto.sha], pack })
  return { kind: 'conflict', files: merged.conflicts, marked: { bundle, headSha } }
}

async function treeOf({ git, gitDir }: Desk, sha: string): Promise<string> {
  return (await git.read(gitDir, ['rev-parse', `${sha}^{tree}`])).toString('latin1').trim()
}

async function mergeTrees(
  desk: Desk,
  sides: { base: string; ours: string; theirs: string },
): Promise<{ tree: string; conflicts: string[] }> {
  const { git, gitDir, committer, top } = desk
  // Its tree is ours, its parent the base: so the base is what git finds the two to have in common.
  const standIn = await writeCommit(git, gitDir, {
    ...top,
    message: Buffer.from('stand-in\n'),
    tree: await treeOf(desk, sides.ours),
    parents: [sides.base],
    committer,
  })
  // Names are what the marks in a file say.
  await git.read(gitDir, ['update-ref', 'refs/heads/base', standIn])
  await git.read(gitDir, ['update-ref', 'refs/heads/work', sides.theirs])
  const ended = await git.run(
    gitDir,
    [
      '-c',
      'core.fsync=none',
      'merge-tree',
      '--write-tree',
      '--name-only',
      '--no-messages',
      '-z',
      'base',
      'work',
    ],
    { maxStdoutBytes: maxPatchBytes },
  )
  if (ended.exitCode !== 0 && ended.exitCode !== 1)
    throw new GitFailure('two trees could not be merged', ended)
  const [tree = '', ...names] = fieldsOf(ended.stdout)
  return { tree: tree.toString(), conflicts: names.map((name) => pathText(Buffer.from(name))) }
}

function fieldsOf(out: Buffer): (string | Buffer)[] {
  const fields: (string | Buffer)[] = []
  let start = 0
  for (let end = out.indexOf(0); end !== -1; end = out.indexOf(0, start)) {
    const field = out.subarray(start, end)
    fields.push(fields.length === 0 ? field.toString('latin1') : field)
    start = end + 1
  }
  return fields
}

/** Commits whose change is not, line by line, one that the work had before; each is named by its SHA. */
async function unlikePatches(desk: Desk, headSha: string): Promise<readonly string[]> {
  const before = await patchIds(desk, desk.work.baseSha, desk.work.headSha)
  const after = await patchIds(desk, desk.onto.sha, headSha)
  const known = new Set(before.values())
  return [...after].flatMap(([sha, id]) => (known.has(id) ? [] : [sha]))
}

async function patchIds({ git, gitDir }: Desk, from: string, to: string): Promise<Map<string, string>> {
  const patches = await git.run(
    gitDir,
    [
      'log',
      '-p',
      '--no-merges',
      '--no-renames',
      '--no-ext-diff',
      '--no-textconv',
      '--full-index',
      `${from}..${to}`,
      '--',
    ],
    { maxStdoutBytes: maxPatchBytes },
  )
  // Too much to be compared: nothing is known to be alike.
  if (patches.exitCode !== 0) return new Map([[to, 'unknown']])
  const out = await git.read(gitDir, ['patch-id', '--stable'], { stdin: patches.stdout })
  const rows = out.toString('latin1').trim().split('\n')
  return new Map(rows.filter((row) => row !== '').map((row) => [row.slice(41), row.slice(0, 40)]))
}
