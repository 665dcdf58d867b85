import { addedLines } from '../model/added-lines.ts'
import { patchPath } from '../model/patch-lines.ts'
import type { CommitContent, History } from '../ports/publisher.ts'
import type { RunResult } from '../process/run.ts'
import { readBlob } from './blob.ts'
import type { CommitObject } from './commit-object.ts'
import { GitFailure, type Git } from './git-command.ts'

const maxMessageBytes = 16 * 1024 * 1024
/** Of the binary files of all commits together, and of one: what is larger is not read. */
const maxBinaryBytes = { together: 32 * 1024 * 1024, each: 2 * 1024 * 1024 }

/**
 * What every commit from base to head says and adds, newest first. A commit that is alone adds what the whole work does:
 * it is told without. A merge is compared with its first parent: whatever
 * it brings that no other commit of the history adds is seen there.
 */
export async function readHistory(
  git: Git,
  gitDir: string,
  range: { baseSha: string; headSha: string; commits: number; maxBytes: number },
): Promise<History> {
  const commits = [`${range.baseSha}..${range.headSha}`, '--']
  const quiet = ['-c', 'log.showSignature=false', '-c', 'log.showRoot=true']
  const said = await git.run(
    gitDir,
    [...quiet, 'log', '--no-mailmap', `--format=%x00${messageFormat}`, ...commits],
    {
      maxStdoutBytes: maxMessageBytes,
    },
  )
  assertRead(said)
  const messages = new Map(
    said.stdout
      .toString('utf8')
      .split('\0')
      .slice(1)
      .map((text) => [text.slice(0, text.indexOf('\n')), text.slice(text.indexOf('\n') + 1)]),
  )
  if (range.commits === 1) {
    const alone = [...messages].map(([sha = '', message = '']) => ({ sha, message, added: [], binaries: [] }))
    return { commits: alone, whole: said.exitCode === 0 }
  }
  const patches = await git.run(
    gitDir,
    [...quiet, 'log', '--format=%x00%H', '-p', '--diff-merges=first-parent', ...diffOptions, ...commits],
    { maxStdoutBytes: range.maxBytes },
  )
  assertRead(patches)
  let left = maxBinaryBytes.together
  const read: CommitContent[] = []
  // No line of a patch begins with a NUL: what stands in a file has a sign before it.
  for (const text of patches.stdout
    .toString('utf8')
    .split(/(?:^|\n)\0(?=[0-9a-f]{40})/)
    .slice(1)) {
    const sha = /^[0-9a-f]+/.exec(text)?.[0] ?? ''
    const binaries: { path: string; bytes: Buffer }[] = []
    for (const path of binaryPaths(text)) {
      const blob =
        left <= 0 ? null : await readBlob(git, gitDir, { sha, path, maxBytes: maxBinaryBytes.each })
      if (blob === null || blob.size > maxBinaryBytes.each) continue
      left -= blob.size
      binaries.push({ path, bytes: blob.content })
    }
    read.push({ sha, message: messages.get(sha) ?? '', added: addedLines(text), binaries })
  }
  return { commits: read, whole: said.exitCode === 0 && patches.exitCode === 0 }
}

/** The history of one commit that has been read already; `null`: git has to read it, as it also knows other encodings. */
export function historyOfOne(facts: {
  headSha: string
  commits: number
  headCommit?: CommitObject | null
}): History | null {
  const { headSha: sha, commits, headCommit: head } = facts
  if (commits !== 1 || head === undefined || head === null || head.encoding !== null) return null
  const people = [head.author, head.committer].map((person) =>
    person.toString('utf8').replace(/ \d+ [+-]\d{4}$/, ''),
  )
  const message = [...people, head.message.toString('utf8')].join('\n')
  return { commits: [{ sha, message, added: [], binaries: [] }], whole: true }
}

/** That there was more than was to be read is no failure. */
function assertRead(ended: RunResult): void {
  if (ended.exitCode === 0 || ended.ended === 'too_much_output') return
  throw new GitFailure('the history of the work could not be read', ended)
}

const messageFormat = '%H%n%an <%ae>%n%cn <%ce>%n%B'
const diffOptions = [
  '--no-renames',
  '--no-ext-diff',
  '--no-textconv',
  '--no-color',
  '--src-prefix=a/',
  '--dst-prefix=b/',
]

/** Paths of the files that git says are binary and that the commit has. */
function binaryPaths(patch: string): string[] {
  return [...patch.matchAll(/^Binary files (.*) differ$/gm)].flatMap(([, names = '']) => {
    const added = /^\/dev\/null and (.*)$/.exec(names)
    // Both names are the same but for their first letter: none can hide where the other begins.
    const second = added === null ? names.slice((names.length + ' and '.length) / 2) : (added[1] ?? '')
    return second === '/dev/null' || names.endsWith(' and /dev/null') ? [] : [patchPath(second)]
  })
}
