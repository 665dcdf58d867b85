import type { Git } from './git-command.ts'

const unsynced = ['-c', 'core.fsync=none'] as const

/** A commit, as bytes: whatever its encoding is, it stays as it is. */
export interface CommitObject {
  readonly parents: readonly string[]
  /** With the time, as git writes it; so is {@link committer}. */
  readonly author: Buffer
  readonly committer: Buffer
  /** Seconds and time zone, as git writes them. */
  readonly committedAt: string
  /** `encoding …`, where it has one. */
  readonly encoding: Buffer | null
  readonly message: Buffer
}

/** Reads a commit. */
export async function readCommit(git: Git, gitDir: string, sha: string): Promise<CommitObject> {
  return parseCommit(await git.read(gitDir, ['cat-file', 'commit', sha]))
}

/** Takes a commit apart, as git keeps it. */
export function parseCommit(bytes: Buffer): CommitObject {
  const end = bytes.indexOf('\n\n')
  const lines = linesOf(end === -1 ? bytes : bytes.subarray(0, end))
  const valuesOf = (name: string) =>
    lines
      .filter((line) => line.subarray(0, name.length + 1).toString('latin1') === `${name} `)
      .map((line) => line.subarray(name.length + 1))
  const committer = valuesOf('committer')[0] ?? Buffer.alloc(0)
  const [, committedAt = '0 +0000'] = /> (\d+ [+-]\d{4})$/.exec(committer.toString('latin1')) ?? []
  return {
    parents: valuesOf('parent').map((parent) => parent.toString('latin1')),
    author: valuesOf('author')[0] ?? Buffer.from('unknown <unknown> 0 +0000'),
    committer,
    committedAt,
    encoding: valuesOf('encoding')[0] ?? null,
    message: end === -1 ? Buffer.alloc(0) : bytes.subarray(end + 2),
  }
}

/**
 * Writes a commit and answers its SHA. Committed by us at the time at which it was committed first: who does it again
 * gets the same commit.
 */
export async function writeCommit(
  git: Git,
  gitDir: string,
  commit: Omit<CommitObject, 'committer'> & {
    readonly tree: string
    readonly committer: { name: string; email: string }
  },
): Promise<string> {
  const { committer } = commit
  const parts: (string | Buffer)[] = [
    `tree ${commit.tree}\n`,
    ...commit.parents.map((parent) => `parent ${parent}\n`),
    'author ',
    commit.author,
    `\ncommitter ${committer.name} <${committer.email}> ${commit.committedAt}\n`,
    ...(commit.encoding === null ? [] : ['encoding ', commit.encoding, '\n']),
    '\n',
    commit.message,
  ]
  const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const out = await git.read(gitDir, [...unsynced, 'hash-object', '-t', 'commit', '-w', '--stdin'], {
    stdin: bytes,
  })
  return out.toString('latin1').trim()
}

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = []
  for (let start = 0; start <= bytes.length;) {
    const found = bytes.indexOf(0x0a, start)
    const end = found === -1 ? bytes.length : found
    lines.push(bytes.subarray(start, end))
    start = end + 1
  }
  return lines
}
