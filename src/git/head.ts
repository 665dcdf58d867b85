import type { CommitFacts, TreeEntry } from '../ports/publisher.ts'
import type { Git } from './git-command.ts'
import { pathText } from './path-text.ts'

const maxCommits = 10_000
const maxTreeBytes = 512 * 1024 * 1024

/** The commits from base to head, newest first, at most 10,000. */
export async function readLog(
  git: Git,
  gitDir: string,
  baseSha: string,
  headSha: string,
): Promise<CommitFacts[]> {
  const format = '--format=%H%x00%P%x00%ae%x00%ce'
  const args = ['log', `--max-count=${maxCommits}`, '--no-mailmap', format, `${baseSha}..${headSha}`, '--']
  const lines = (await git.read(gitDir, args)).toString('utf8').split('\n')
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const [sha = '', parents = '', authorEmail = '', committerEmail = ''] = line.split('\0')
      return {
        sha,
        parents: parents.split(' ').filter((parent) => parent !== ''),
        authorEmail,
        committerEmail,
      }
    })
}

/** Every path of the head, with its mode and size. */
export async function readTree(git: Git, gitDir: string, headSha: string): Promise<Map<string, TreeEntry>> {
  const args = ['ls-tree', '-r', '-l', '-z', '--full-tree', headSha]
  const out = await git.read(gitDir, args, { maxStdoutBytes: maxTreeBytes })
  const entries = new Map<string, TreeEntry>()
  for (let start = 0; start < out.length;) {
    const end = out.indexOf(0, start)
    const tab = out.indexOf(0x09, start)
    const [mode = '', , , bytes = '-'] = out.toString('latin1', start, tab).split(/ +/)
    entries.set(pathText(out.subarray(tab + 1, end)), { mode, bytes: bytes === '-' ? null : Number(bytes) })
    start = end + 1
  }
  return entries
}
