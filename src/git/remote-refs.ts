import { isBranchName } from '../model/branch-name.ts'
import { RemoteFailure } from '../ports/publisher.ts'
import type { Git } from './git-command.ts'
import type { Listing } from './http-refs.ts'
import { anyRemoteFailure } from './remote-fault.ts'
import { createSharedQuestion } from './shared-question.ts'

/** Asks a remote for its refs, now. All reject with `RemoteFailure`. */
export interface RemoteRefs {
  /** The branch (`null`: the default one) and its SHA. */
  resolve(repo: string, branch: string | null): Promise<{ branch: string; sha: string }>
  /** Where the branch stands; `null`: there is none. */
  branchAt(repo: string, branch: string): Promise<string | null>
}

/** `askAll` is tried first, see {@link createHttpRefs}; `null` from it: git is to ask. */
export function createRemoteRefs(
  git: Git,
  timeoutMs: number,
  askAll: (repo: string) => Promise<Listing | null>,
): RemoteRefs {
  const shareAll = createSharedQuestion<Listing | null>()
  const share = createSharedQuestion<Listing>()

  async function list(repo: string, patterns: readonly string[], branch: string | null): Promise<Listing> {
    const all = await shareAll(repo, () => askAll(repo))
    return all ?? share(JSON.stringify([repo, ...patterns]), () => ask(repo, patterns, branch))
  }

  async function ask(repo: string, patterns: readonly string[], branch: string | null): Promise<Listing> {
    const ended = await git.connect(
      repo,
      null,
      ['ls-remote', '--quiet', '--symref', '--', repo, ...patterns],
      {
        timeoutMs,
        readOnly: true,
        maxStdoutBytes: 256 * 1024 * 1024,
      },
    )
    if (ended.exitCode !== 0) throw anyRemoteFailure(ended, repo, branch)
    return parseListing(ended.stdout.toString('utf8'))
  }

  async function isEmpty(repo: string): Promise<boolean> {
    const { shas } = await list(repo, ['refs/heads/*'], null)
    return ![...shas.keys()].some((name) => name.startsWith('refs/heads/'))
  }

  async function missing(repo: string, branch: string | null, message: string): Promise<RemoteFailure> {
    if (await isEmpty(repo)) {
      return new RemoteFailure('repository_empty', {
        repo,
        branch,
        message: `${repo}: the repository has no commit yet (push a first one), or the address is that of a web page`,
      })
    }
    return new RemoteFailure('branch_not_found', { repo, branch, message: `${repo}: ${message}` })
  }

  return {
    async resolve(repo, branch) {
      if (branch !== null) assertBranch(branch)
      const { shas, head } = await list(repo, branch === null ? ['HEAD'] : [`refs/heads/${branch}`], branch)
      if (branch !== null) {
        const sha = shas.get(`refs/heads/${branch}`)
        if (sha !== undefined) return { branch, sha }
        throw await missing(repo, branch, `there is no branch ${branch}`)
      }
      const sha = shas.get('HEAD')
      const name = head?.startsWith('refs/heads/') === true ? head.slice('refs/heads/'.length) : null
      if (sha !== undefined && name !== null && isBranchName(name)) return { branch: name, sha }
      const why = sha === undefined ? 'its default branch does not exist' : 'its HEAD stands on no branch'
      throw await missing(repo, null, `${why}; name the base branch`)
    },
    async branchAt(repo, branch) {
      assertBranch(branch)
      const { shas } = await list(repo, [`refs/heads/${branch}`], branch)
      return shas.get(`refs/heads/${branch}`) ?? null
    },
  }
}

// A name that git takes for a pattern or an option would ask for something else.
export function assertBranch(branch: string): void {
  if (!isBranchName(branch)) throw new TypeError(`${JSON.stringify(branch)} is not a branch name`)
}

// Patterns of ls-remote fit the ends of names, so more may come back than was asked for: callers look up exact names.
function parseListing(text: string): Listing {
  const shas = new Map<string, string>()
  let head: string | null = null
  for (const line of text.split('\n')) {
    const [value, name] = line.split('\t')
    if (value === undefined || name === undefined) continue
    if (value.startsWith('ref: ')) {
      if (name === 'HEAD') head = value.slice('ref: '.length)
    } else if (/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(value)) {
      shas.set(name, value)
    }
  }
  return { shas, head }
}
