import { branchSha, git, runGit } from '../repositories.ts'

/** What a branch demands before it takes a change. */
export interface Protection {
  /** Names of checks that must have passed on the head. */
  readonly checks: readonly string[]
  /** Approving reviews by others. */
  readonly approvals: number
  /** A push to it is refused with GH006 (or GH013, as rulesets say it). */
  readonly push: 'allowed' | 'GH006' | 'GH013'
}

export interface StandInReview {
  readonly id: number
  readonly user: string
  state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'PENDING'
  readonly body: string
  readonly sha: string
  readonly comments: readonly { readonly path: string; readonly line: number; readonly body: string }[]
}

export interface StandInPull {
  readonly number: number
  readonly user: string
  readonly title: string
  body: string
  readonly head: string
  base: string
  readonly draft: boolean
  closed: boolean
  mergedSha: string | null
  /** Its head when it was merged or closed. */
  lastHead: string
  readonly reviews: StandInReview[]
  readonly comments: { readonly user: string; readonly body: string }[]
  /** Answers to comments on lines, whose ids they name. */
  readonly replies: {
    readonly id: number
    readonly to: number
    readonly user: string
    readonly body: string
  }[]
  /** Comments on lines whose threads are resolved. */
  readonly resolved: Set<number>
  readonly labels: string[]
  readonly reviewers: string[]
  /** Head and base for which it was asked whether it can be merged; the first answer is null. */
  readonly asked: Set<string>
}

/** A comment on a line, or an answer to one, as its id tells. */
export interface StandInLineComment {
  readonly id: number
  readonly reviewId: number
  readonly replyTo: number | null
  readonly user: string
  readonly body: string
  readonly path: string
  readonly line: number
}

/** Comments on lines, review by review, then the answers to them. */
export function lineCommentsOf(pull: StandInPull): StandInLineComment[] {
  const begun = pull.reviews.flatMap(({ id, user, comments }) =>
    comments.map((comment, index) => ({
      ...comment,
      id: pull.number * 100_000 + id * 100 + index,
      reviewId: id,
      replyTo: null,
      user,
    })),
  )
  const answers = pull.replies.flatMap(({ id, to, user, body }) => {
    const first = begun.find((one) => one.id === to)
    return first === undefined ? [] : [{ ...first, id, replyTo: to, user, body }]
  })
  return [...begun, ...answers]
}

/** One repository of the stand-in: a real bare repository, and what GitHub keeps beside it. */
export class StandInRepository {
  readonly owner: string
  readonly name: string
  /** The bare repository. */
  readonly path: string
  archived = false
  /** Whether who asks may go around what the base demands, as GitHub lets administrators. */
  admin = false
  /** Whether a pull request is closed at once when its branch is gone. */
  closesWithoutBranch = true
  readonly protection = new Map<string, Protection>()
  readonly pulls: StandInPull[] = []
  readonly checkRuns: { sha: string; name: string; status: string; conclusion: string | null }[] = []
  readonly statuses: { sha: string; context: string; state: string }[] = []
  readonly methods = new Set(['merge', 'squash', 'rebase'])

  constructor(owner: string, name: string, path: string) {
    this.owner = owner
    this.name = name
    this.path = path
  }

  async defaultBranch(): Promise<string> {
    return (await git(this.path, ['symbolic-ref', '--short', 'HEAD'])).trim()
  }

  pull(number: number): StandInPull {
    const found = this.pulls.find((pull) => pull.number === number)
    if (found === undefined) throw new Error(`there is no pull request ${number}`)
    return found
  }

  /** Where its head stands now; one whose branch is gone is closed, as GitHub does it. */
  async headOf(pull: StandInPull): Promise<string> {
    if (pull.closed) return pull.lastHead
    const sha = await branchSha(this.path, pull.head)
    if (sha === null) pull.closed = this.closesWithoutBranch
    else pull.lastHead = sha
    return pull.lastHead
  }

  async baseOf(pull: StandInPull): Promise<string> {
    return (await branchSha(this.path, pull.base)) ?? '0'.repeat(40)
  }

  /** The tree of both together; `null`: they conflict. */
  async combined(base: string, head: string): Promise<string | null> {
    const ended = await runGit(this.path, ['merge-tree', '--write-tree', base, head])
    if (ended.exitCode !== 0) return null
    return ended.stdout.toString('utf8').split('\n')[0] ?? null
  }

  /** Whether the head has commits that the base lacks. */
  async differs(base: string, head: string): Promise<boolean> {
    return (await git(this.path, ['rev-list', '--count', `${base}..${head}`])).trim() !== '0'
  }

  /** Merges as GitHub does, with a real commit. Answers its SHA; `null`: they conflict. */
  async merge(pull: StandInPull, method: string): Promise<string | null> {
    const base = await this.baseOf(pull)
    const head = await this.headOf(pull)
    const tree = await this.combined(base, head)
    if (tree === null) return null
    const sha = await this.#commit(base, head, tree, method, pull)
    await git(this.path, ['update-ref', `refs/heads/${pull.base}`, sha, base])
    pull.mergedSha = sha
    pull.closed = true
    return sha
  }

  async #commit(
    base: string,
    head: string,
    tree: string,
    method: string,
    pull: StandInPull,
  ): Promise<string> {
    const make = async (parents: readonly string[], of: string, message: string) =>
      (
        await git(
          this.path,
          ['commit-tree', ...parents.flatMap((parent) => ['-p', parent]), '-F', '-', of],
          message,
        )
      ).trim()
    if (method === 'merge')
      return make([base, head], tree, `Merge pull request #${pull.number}\n\n${pull.title}`)
    const list = (await git(this.path, ['rev-list', '--reverse', `${base}..${head}`])).trim().split('\n')
    const ahead = (await git(this.path, ['merge-base', base, head])).trim() === base
    if (method === 'squash' || !ahead) return make([base], tree, `${pull.title} (#${pull.number})`)
    let at = base
    for (const commit of list) {
      const message = await git(this.path, ['log', '-1', '--format=%B', commit])
      at = await make([at], `${commit}^{tree}`, message)
    }
    return at
  }

  /** What stands in the way of a merge, in GitHub's words; `null`: nothing. */
  async obstacle(pull: StandInPull): Promise<string | null> {
    const wanted = this.protection.get(pull.base)
    if (wanted === undefined) return null
    const head = await this.headOf(pull)
    for (const name of wanted.checks) {
      const passed =
        this.checkRuns.some((run) => run.sha === head && run.name === name && run.conclusion === 'success') ||
        this.statuses.some((one) => one.sha === head && one.context === name && one.state === 'success')
      if (!passed) return `Required status check "${name}" is expected.`
    }
    const approvals = new Set(
      pull.reviews.filter((review) => review.state === 'APPROVED').map((review) => review.user),
    )
    if (approvals.size >= wanted.approvals) return null
    return `At least ${wanted.approvals} approving review is required by reviewers with write access.`
  }
}
