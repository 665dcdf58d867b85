import type { PassedCommit } from '../ports/publisher.ts'
import type { BlobReader } from './blob-reader.ts'
import { changesArguments, parseChanges, type Changes } from './changes.ts'
import type { Git } from './git-command.ts'
import { readTree } from './head.ts'

/** See `Work.passing`. */
export async function readPassing(
  git: Git,
  gitDir: string,
  work: Changes & { readonly baseSha: string; readonly headSha: string },
  { blobs, maxCommits }: { readonly blobs: BlobReader; readonly maxCommits: number },
): Promise<readonly PassedCommit[] | null> {
  const { baseSha, headSha } = work
  const range = ['rev-list', '--reverse', `--max-count=${maxCommits + 2}`, `${baseSha}..${headSha}`, '--']
  const listed = (await git.read(gitDir, range)).toString('latin1').trim().split('\n')
  const shas = listed.filter((sha) => sha !== headSha)
  if (shas.length > maxCommits) return null
  const final = new Map(work.changes.map((change) => [change.path, change]))
  const commits: PassedCommit[] = []
  for (const sha of shas) {
    const { changes } = parseChanges(await git.read(gitDir, [...changesArguments, baseSha, sha, '--']))
    commits.push({
      sha,
      changes: changes.filter(({ path, insertions }) => {
        const last = final.get(path)
        return last === undefined || (insertions === null && last.insertions !== null)
      }),
      readFile: (at, path, maxBytes) => blobs.read(at === 'base' ? baseSha : sha, path, maxBytes),
      tree: () => readTree(git, gitDir, sha),
    })
  }
  return commits
}
