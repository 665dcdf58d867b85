import { GitFailure, type Git } from './git-command.ts'
import { pathBytes } from './path-text.ts'

export interface Blob {
  /** Bytes of the whole file. */
  readonly size: number
  /** The file, or the beginning of it: `maxBytes` at most. */
  readonly content: Buffer
}

// What may come after the bytes that are kept before git is ended: a pipe hands over 64 KiB at a time.
const slackBytes = 1024 * 1024

/**
 * A file of a commit; `null`: no such file (a folder, a submodule, nothing). A symlink's content is its target.
 * Rejects with {@link GitFailure} where the commit itself is missing.
 */
export async function readBlob(
  git: Git,
  gitDir: string,
  at: { sha: string; path: string; maxBytes: number },
): Promise<Blob | null> {
  if (!at.path.split('/').every(isName)) return null
  // NUL ends a request, since a path may hold a line break. The first asks for the commit: without that, a missing
  // commit would look like a missing file.
  const requests = [`info ${at.sha}^{tree}\0`, `contents ${at.sha}:`, pathBytes(at.path), '\0']
  const ended = await git.run(gitDir, ['cat-file', '--batch-command', '-z'], {
    stdin: Buffer.concat(requests.map((part) => Buffer.from(part))),
    maxStdoutBytes: at.maxBytes + slackBytes,
  })
  const fine = ended.ended === 'too_much_output' || ended.exitCode === 0
  const [commit, afterCommit] = lineAt(ended.stdout, 0)
  if (!fine || !/^[0-9a-f]+ tree \d+$/.test(commit)) {
    throw new GitFailure(`${at.sha} cannot be read in ${gitDir}`, ended)
  }
  const [header, start] = lineAt(ended.stdout, afterCommit)
  const [, size] = /^[0-9a-f]+ blob (\d+)$/.exec(header) ?? []
  if (size === undefined) return null
  const length = Math.min(Number(size), at.maxBytes)
  const content = ended.stdout.subarray(start, start + length)
  if (content.length < length) throw new GitFailure(`${at.path} could not be read whole`, ended)
  return { size: Number(size), content }
}

// No tree has another, and git would read some of them in a way of its own.
function isName(part: string): boolean {
  return part !== '' && part !== '.' && part !== '..' && !part.includes('\0')
}

function lineAt(bytes: Buffer, start: number): [line: string, next: number] {
  const end = bytes.indexOf(0x0a, start)
  return end === -1 ? ['', bytes.length] : [bytes.toString('latin1', start, end), end + 1]
}
