import { randomUUID } from 'node:crypto'
import { copyFile, mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CheckoutFault, type Checkout, type CheckoutOptions, type Checkouts } from '../ports/checkout.ts'
import type { RunResult } from '../process/run.ts'
import type { Run } from '../process/spawner.ts'
import { repositoryFiles } from './bare-repository.ts'
import { changesArguments, parseChanges } from './changes.ts'
import { createGit, wordsOf, type Git } from './git-command.ts'
import { localPlace } from './git-place.ts'
import { heldWork } from './work.ts'

export interface CheckoutsOptions {
  /** Folder under which a folder of its own is made for each look, and removed again. */
  readonly scratch: string
  readonly path: string
  /** Where the person's own git settings lie: line endings, large files, identity. */
  readonly userHome: string
  readonly run: Run
}

const timeoutMs = 10 * 60_000
const maxChangesBytes = 512 * 1024 * 1024

/**
 * Looks at checkouts: git of the person's settings writes a tree of what is there, into a repository of our own, which
 * is read with the publisher's settings. The checkout's index, objects and refs stay as they are; neither hooks nor a
 * file monitor of it are run, but its clean filters are, as by `git add`.
 */
export function createCheckouts(options: CheckoutsOptions): Checkouts {
  return {
    async open(folder, wanted) {
      const scratch = join(options.scratch, `check-${randomUUID()}`)
      const place = localPlace(scratch, options.run)
      try {
        const own = await look(options, folder, wanted)
        const git = await createGit({
          place,
          path: options.path,
          passThrough: {},
          credentialsFor: async () => null,
        })
        return await openLooked(options, own, wanted, git, () => place.remove(scratch))
      } catch (error) {
        await place.remove(scratch)
        throw error
      }
    },
  }
}

/** What the checkout says of itself. */
interface Looked {
  readonly root: string
  readonly index: string
  readonly objects: string
  readonly headSha: string
  readonly baseSha: string
  readonly baseName: string
  /** A merge that is being committed. */
  readonly mergeHead: string | null
  readonly identity: Readonly<Record<string, string>>
  readonly ask: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<RunResult>
}

async function look(options: CheckoutsOptions, folder: string, wanted: CheckoutOptions): Promise<Looked> {
  const asker =
    (cwd: string): Looked['ask'] =>
    (args, env = {}) =>
      options.run(['git', '-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', ...args], {
        cwd,
        env: { PATH: options.path, HOME: options.userHome, LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', ...env },
        timeoutMs,
      })
  const top = await asker(folder)(['rev-parse', '--show-toplevel'])
  if (top.exitCode !== 0)
    throw new CheckoutFault(`${folder} is no checkout of a git repository: ${wordsOf(top)}`)
  const root = firstLine(top)
  const ask = asker(root)
  const shaOf = async (name: string) => {
    const ended = await ask(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`])
    return ended.exitCode === 0 ? firstLine(ended) : null
  }
  const headSha = await shaOf('HEAD')
  if (headSha === null)
    throw new CheckoutFault(`${root} has no commit yet, so there is no base to compare with`)
  const base = await findBase(wanted.base, shaOf)
  const fork = await ask(['merge-base', base.sha, headSha])
  if (fork.exitCode !== 0) {
    throw new CheckoutFault(
      `--base: HEAD and ${base.name} have no common commit here; fetch the whole history (git fetch --unshallow)`,
    )
  }
  const paths = await ask([
    'rev-parse',
    '--path-format=absolute',
    '--git-path',
    'index',
    '--git-path',
    'objects',
  ])
  const [index = '', objects = ''] = paths.stdout.toString('utf8').split('\n')
  const who = await ask(['var', 'GIT_AUTHOR_IDENT'])
  const [, name = 'nobody', email = 'nobody@localhost'] =
    /^(.*) <(.*)> \d+ [+-]\d+$/.exec(firstLine(who)) ?? []
  return {
    root,
    index: wanted.indexFile === null ? index : resolve(root, wanted.indexFile),
    objects,
    headSha,
    baseSha: firstLine(fork),
    baseName: base.name,
    mergeHead: await shaOf('MERGE_HEAD'),
    identity: identityOf(name, email),
    ask,
  }
}

// Where no remote is known, the usual branch of this checkout; on that one itself, what is not committed is judged.
const usualBases = [
  'refs/remotes/origin/HEAD',
  'refs/remotes/origin/main',
  'refs/remotes/origin/master',
  'refs/heads/main',
  'refs/heads/master',
  'HEAD',
]

async function findBase(
  wanted: string | null,
  shaOf: (name: string) => Promise<string | null>,
): Promise<{ name: string; sha: string }> {
  for (const name of wanted === null ? usualBases : [wanted, `origin/${wanted}`]) {
    const sha = await shaOf(name)
    if (sha !== null) return { name: name.replace(/^refs\/(remotes|heads)\//, ''), sha }
  }
  throw new CheckoutFault(
    `--base: there is no ${wanted ?? 'base'} here; fetch it first (git fetch origin ${wanted ?? ''})`,
  )
}

async function openLooked(
  options: CheckoutsOptions,
  looked: Looked,
  wanted: CheckoutOptions,
  git: Git,
  remove: () => Promise<void>,
): Promise<Checkout> {
  const { root, baseSha, baseName, headSha } = looked
  const gitDir = join(git.place.home, 'work.git')
  await git.place.write(gitDir, repositoryFiles(baseSha, dirname(looked.objects)))
  const tree = await writeTree(looked, wanted.staged, git.place.home, join(gitDir, 'objects'))
  const unchanged =
    (await git.read(gitDir, ['rev-parse', `${headSha}^{tree}`])).toString('latin1').trim() === tree
  const parents = [headSha, ...(looked.mergeHead === null ? [] : [looked.mergeHead])].flatMap((sha) => [
    '-p',
    sha,
  ])
  const head = unchanged
    ? headSha
    : (
        await git.read(gitDir, ['commit-tree', ...parents, '-F', '-', tree], {
          stdin: 'not committed yet\n',
          env: looked.identity,
        })
      )
        .toString('latin1')
        .trim()
  const count = await git.read(gitDir, ['rev-list', '--count', `${baseSha}..${head}`, '--'])
  const changes = await git.read(gitDir, [...changesArguments, baseSha, head, '--'], {
    maxStdoutBytes: maxChangesBytes,
  })
  const facts = { taskId: '', repo: root, baseSha, headSha: head, commits: Number(count.toString('latin1')) }
  return {
    root,
    baseName,
    work: heldWork(git, gitDir, { ...facts, ...parseChanges(changes) }),
    async layOutBase() {
      const folder = join(git.place.home, 'base')
      await mkdir(folder, { recursive: true })
      const env = { GIT_INDEX_FILE: join(git.place.home, 'base.index') }
      await git.read(gitDir, ['--work-tree', folder, 'read-tree', '--reset', '-u', baseSha], { env })
      return folder
    },
    close: remove,
  }
}

/** The tree of what is staged, or of all that is there; its new objects go to a folder of ours. */
async function writeTree(looked: Looked, staged: boolean, scratch: string, objects: string): Promise<string> {
  const index = join(scratch, 'index')
  await copyFile(looked.index, index).catch((error: unknown) => {
    // Before the first `git add`, there is none.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  })
  const env = {
    GIT_INDEX_FILE: index,
    GIT_OBJECT_DIRECTORY: objects,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: looked.objects,
  }
  const steps = [...(staged ? [] : [['-c', 'advice.addEmbeddedRepo=false', 'add', '--all']]), ['write-tree']]
  let last = ''
  for (const step of steps) {
    const ended = await looked.ask(step, env)
    if (ended.exitCode !== 0)
      throw new CheckoutFault(`what is in ${looked.root} cannot be read by git: ${wordsOf(ended)}`)
    last = firstLine(ended)
  }
  return last
}

function identityOf(name: string, email: string) {
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
  }
}

function firstLine(ended: RunResult): string {
  return ended.stdout.toString('utf8').split('\n')[0] ?? ''
}
