import { mkdir, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { run } from '../../src/process/run.ts'

/** Paths to contents; `null` removes the path, an object sets its mode, e.g. 120000 for a symlink. */
export type Files = Readonly<
  Record<string, string | Buffer | null | { readonly mode: string; readonly content: string }>
>

export interface RepositoryParts {
  /** What the first commit has. Default: a README.md. */
  readonly files?: Files
  /** Commits in all, at least 1; each after the first changes `history.txt`. Default 1. */
  readonly commits?: number
  /** The default branch. Default: main. */
  readonly branch?: string
}

export interface MadeRepository {
  readonly path: string
  /** The last commit of the default branch. */
  readonly sha: string
  readonly branch: string
}

/** Makes a bare repository at this path (the path of the repository itself, e.g. `<temporary>/one.git`). */
export async function makeRepository(path: string, parts: RepositoryParts = {}): Promise<MadeRepository> {
  const bare = resolve(path)
  const branch = parts.branch ?? 'main'
  await makeEmptyRepository(bare, branch)
  const stream = [commitCommand(branch, 'first', parts.files ?? { 'README.md': '# A repository\n' }, false)]
  for (let number = 2; number <= (parts.commits ?? 1); number += 1) {
    stream.push(commitCommand(branch, `commit ${number}`, { 'history.txt': `${number}\n` }, false))
  }
  await git(bare, ['fast-import', '--quiet'], Buffer.concat(stream))
  return { path: bare, sha: (await git(bare, ['rev-parse', branch])).trim(), branch }
}

/** Makes a bare repository without any commit. */
export async function makeEmptyRepository(path: string, branch = 'main'): Promise<string> {
  const bare = resolve(path)
  await mkdir(bare, { recursive: true })
  await git(bare, ['init', '--quiet', '--bare', `--initial-branch=${branch}`])
  return bare
}

/**
 * Adds a commit to a branch of a bare repository; answers its SHA. A branch that is not there starts from the default
 * branch, or from `from`.
 */
export async function commitTo(
  path: string,
  branch: string,
  files: Files,
  options: { message?: string; from?: string } = {},
): Promise<string> {
  const start = options.from ?? ((await branchSha(path, branch)) === null ? 'HEAD' : branch)
  const parent = (await git(path, ['rev-parse', '--verify', '--end-of-options', `${start}^{commit}`])).trim()
  const stream = commitCommand(branch, options.message ?? 'a change', files, parent)
  await git(path, ['fast-import', '--quiet', '--force'], stream)
  return (await git(path, ['rev-parse', `refs/heads/${branch}`])).trim()
}

/** Where a branch stands; `null`: there is none. */
export async function branchSha(path: string, branch: string): Promise<string | null> {
  const ended = await runGit(path, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`])
  return ended.exitCode === 0 ? ended.stdout.toString('utf8').trim() : null
}

/** The names of all branches, sorted. */
export async function listBranches(path: string): Promise<string[]> {
  const out = await git(path, ['for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads'])
  return out.split('\n').filter((name) => name !== '')
}

/** The text of a file at a branch, tag or SHA; `null`: there is no such file. */
export async function showFile(path: string, ref: string, file: string): Promise<string | null> {
  const ended = await runGit(path, ['cat-file', 'blob', `${ref}:${file}`])
  return ended.exitCode === 0 ? ended.stdout.toString('utf8') : null
}

/** Clones a repository into an ordinary checkout, with an identity to commit with. */
export async function makeCheckout(from: string, path: string): Promise<string> {
  const folder = resolve(path)
  await mkdir(folder, { recursive: true })
  await git(folder, ['clone', '--quiet', '--no-hardlinks', from, '.'])
  await git(folder, ['config', 'user.name', 'Test'])
  await git(folder, ['config', 'user.email', 'test@example.org'])
  return folder
}

/** Removes a folder, also one that a test has made read-only in parts. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 })
}

/** Runs git in a folder, with the test's own settings alone; answers stdout. Rejects with what it printed. */
export async function git(cwd: string, args: readonly string[], stdin?: Buffer | string): Promise<string> {
  const ended = await runGit(cwd, args, stdin)
  if (ended.exitCode === 0) return ended.stdout.toString('utf8')
  throw new Error(`git ${args.join(' ')} in ${cwd} (${ended.ended}, ${ended.exitCode}): ${ended.stderr}`)
}

/** As {@link git}, with every ending as a value. */
export function runGit(cwd: string, args: readonly string[], stdin?: Buffer | string) {
  return run(['git', ...args], {
    cwd,
    env: gitTestEnvironment,
    timeoutMs: 300_000,
    maxStdoutBytes: 512 * 1024 * 1024,
    ...(stdin === undefined ? {} : { stdin }),
  })
}

/** What the test's own git commands run with: no settings of the machine or of the person. */
export const gitTestEnvironment: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.org',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.org',
  GIT_CONFIG_COUNT: '3',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
  GIT_CONFIG_KEY_1: 'init.defaultBranch',
  GIT_CONFIG_VALUE_1: 'main',
  GIT_CONFIG_KEY_2: 'gc.auto',
  GIT_CONFIG_VALUE_2: '0',
}

// A commit in the language of git fast-import: one process makes any number of files and commits.
function commitCommand(branch: string, message: string, files: Files, parent: string | false): Buffer {
  const parts: (string | Buffer)[] = [
    `commit refs/heads/${branch}\ncommitter Test <test@example.org> 1700000000 +0000\n`,
    `data ${Buffer.byteLength(message)}\n${message}\n`,
    ...(parent === false ? [] : [`from ${parent}\n`]),
  ]
  for (const [path, file] of Object.entries(files)) {
    const quoted = `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
    if (file === null) {
      parts.push(`D ${quoted}\n`)
      continue
    }
    const plain = typeof file === 'string' || Buffer.isBuffer(file)
    const content = Buffer.from(plain ? file : file.content)
    const mode = plain ? '100644' : file.mode
    if (mode === '160000') parts.push(`M 160000 ${content.toString()} ${quoted}\n`)
    else parts.push(`M ${mode} inline ${quoted}\ndata ${content.length}\n`, content, '\n')
  }
  parts.push('\n')
  return Buffer.concat(parts.map((part) => Buffer.from(part)))
}
