import type { Work } from '../ports/publisher.ts'
import { changesArguments, parseChanges } from './changes.ts'
import type { Git } from './git-command.ts'
import { heldWork, maxDiffBytes } from './work.ts'

const maxChangesBytes = 512 * 1024 * 1024

/** Work whose base and head lie in this repository, judged by us before: a head that was moved, or taken up again. */
export async function heldAt(
  git: Git,
  gitDir: string,
  facts: { taskId: string; repo: string; baseSha: string; headSha: string },
): Promise<Work> {
  const { baseSha, headSha } = facts
  const count = await git.read(gitDir, ['rev-list', '--count', `${baseSha}..${headSha}`, '--'])
  const sides = [baseSha, headSha, '--']
  const both = await git.run(gitDir, [...changesArguments, '-p', ...sides], { maxStdoutBytes: maxDiffBytes })
  const changes = parseChanges(
    both.exitCode === 0
      ? both.stdout
      : await git.read(gitDir, [...changesArguments, ...sides], { maxStdoutBytes: maxChangesBytes }),
  )
  return heldWork(git, gitDir, { ...changes, ...facts, commits: Number(count.toString('latin1').trim()) })
}
