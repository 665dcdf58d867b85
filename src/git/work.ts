import type { Work } from '../ports/publisher.ts'
import { BlobReader } from './blob-reader.ts'
import { makeBundle } from './bundle.ts'
import { diffArguments, type Changes } from './changes.ts'
import type { CommitObject } from './commit-object.ts'
import { GitFailure, type Git } from './git-command.ts'
import { readLog, readTree } from './head.ts'
import { historyOfOne, readHistory } from './history.ts'
import { readPassing } from './passing.ts'

export interface WorkFacts extends Changes {
  readonly taskId: string
  readonly repo: string
  readonly baseSha: string
  readonly headSha: string
  readonly commits: number
  /** The head, where it has been read already. */
  readonly headCommit?: CommitObject | null
}

/** Bytes of a diff unless another bound is given. */
export const maxDiffBytes = 5 * 1024 * 1024
const maxBundleBytes = 2 * 1024 * 1024 * 1024 - 1

/** Received work that lies in a clean repository; it can be read until that is removed. */
export function heldWork(git: Git, gitDir: string, facts: WorkFacts): Work {
  const { baseSha, headSha } = facts
  const blobs = new BlobReader(git, gitDir)
  /** The diff, once it came out whole: what keeps it and what looks for secrets ask for the same. */
  let whole = facts.patch
  return {
    ...facts,
    empty: facts.changes.length === 0,
    async diff(maxBytes = maxDiffBytes) {
      if (whole !== null && whole.length <= maxBytes) return whole
      const ended = await git.run(gitDir, [...diffArguments, '-p', baseSha, headSha, '--'], {
        maxStdoutBytes: maxBytes,
      })
      if (ended.exitCode === 0) return (whole = ended.stdout)
      if (ended.ended !== 'too_much_output') throw new GitFailure('the diff could not be made', ended)
      const kept = ended.stdout.subarray(0, ended.stdout.lastIndexOf(0x0a) + 1)
      return Buffer.concat([
        kept,
        Buffer.from(`\\ The diff is longer than ${maxBytes} bytes and is cut here.\n`),
      ])
    },
    readFile: (at, path, maxBytes) => blobs.read(at === 'base' ? baseSha : headSha, path, maxBytes),
    history: async (maxBytes) =>
      historyOfOne(facts) ?? readHistory(git, gitDir, { baseSha, headSha, commits: facts.commits, maxBytes }),
    passing: async (maxCommits) =>
      facts.commits <= 1 ? [] : readPassing(git, gitDir, facts, { blobs, maxCommits }),
    log: () => readLog(git, gitDir, baseSha, headSha),
    headTree: () => readTree(git, gitDir, headSha),
    async bundle() {
      const pack = await git.read(gitDir, ['pack-objects', '--revs', '--thin', '--stdout', '--quiet'], {
        stdin: `${headSha}\n^${baseSha}\n`,
        maxStdoutBytes: maxBundleBytes,
      })
      return makeBundle({ headSha, prerequisites: [baseSha], pack })
    },
  }
}
