import type { TaskOptions } from '../model/task.ts'

/**
 * Where pull requests live. What a forge refuses is a value; what keeps it from answering at all is a
 * {@link ForgeFailure}. No method repeats a change by itself: its answer may have been lost, so whoever asks looks
 * for what it did before asking again.
 */
export interface Forge {
  /** As people call it: `GitHub`. */
  readonly name: string
  /** The repository as this forge knows it; `null`: it lives elsewhere, and is a plain git remote. */
  repository(repo: string): ForgeRepository | null
  /** Who its changes are made by. */
  identity(): Promise<ForgeIdentity>
}

export interface ForgeIdentity {
  readonly login: string
  /** What a classic token may do; `null` where the forge does not tell. */
  readonly scopes: readonly string[] | null
}

/** One repository of a forge. Every method may reject with {@link ForgeFailure}. */
export interface ForgeRepository {
  /** The same for every way to write its address, e.g. `github.com/owner/name` in lower case. */
  readonly slug: string
  facts(): Promise<RepositoryFacts>
  /** Pull requests from this branch of this very repository, in any state, newest first, at most 30. */
  pullRequestsFrom(branch: string): Promise<readonly PullRequest[]>
  createPullRequest(proposal: Proposal): Promise<Created>
  pullRequest(number: number): Promise<PullRequest>
  /** Replaces what it says of itself. */
  editPullRequest(number: number, body: string): Promise<void>
  /** What was said about this commit by the forge's own checks and by statuses. */
  checks(sha: string): Promise<ForgeChecks>
  /** Submitted reviews, oldest first. */
  reviews(number: number): Promise<readonly Review[]>
  postReview(number: number, review: NewReview): Promise<Posted>
  /** Plain comments, oldest first. */
  comments(number: number): Promise<readonly Comment[]>
  comment(number: number, body: string): Promise<void>
  /** Comments of reviews on lines, and the answers to them, oldest first. */
  lineComments(number: number): Promise<readonly LineComment[]>
  /** Answers in the thread that this comment began. */
  answer(number: number, commentId: number, body: string): Promise<void>
  /**
   * Marks the threads that these comments began as resolved; those that are already are let be. `false`: the forge
   * does not offer it, or not to us.
   */
  resolveThreads(number: number, commentIds: readonly number[]): Promise<boolean>
  /** Merges exactly this head, or refuses. */
  merge(number: number, merge: Merge): Promise<Merged>
  /** A branch that is not there is fine. `false`: the forge would not. */
  deleteBranch(branch: string): Promise<boolean>
  addLabels(number: number, labels: readonly string[]): Promise<void>
  requestReviewers(number: number, logins: readonly string[]): Promise<void>
}

export interface RepositoryFacts {
  readonly defaultBranch: string
  readonly archived: boolean
  /** Whether our account may go around what protects a branch. */
  readonly isAdmin: boolean
}

export interface Proposal {
  readonly head: string
  readonly base: string
  readonly title: string
  readonly body: string
  readonly draft: boolean
}

export type Created =
  | { kind: 'created'; pullRequest: PullRequest }
  | { kind: 'exists' }
  /** The forge sees no difference; said for a moment, too, right after a push. */
  | { kind: 'no_commits'; message: string }
  | { kind: 'head_missing' }
  | { kind: 'base_missing' }
  | { kind: 'refused'; message: string }

export interface PullRequest {
  readonly number: number
  /** For people. */
  readonly url: string
  readonly state: 'open' | 'closed' | 'merged'
  readonly draft: boolean
  readonly author: string
  readonly body: string
  readonly head: { readonly branch: string; readonly sha: string }
  readonly base: { readonly branch: string }
  /** `null`: the forge is still finding out. */
  readonly mergeable: boolean | null
  /** The base demands more than there is: a check, a review. */
  readonly blocked: boolean
  /** The commit on the base, once it is merged. */
  readonly mergedSha: string | null
}

export interface ForgeChecks {
  readonly pending: readonly string[]
  readonly failed: readonly string[]
  readonly passed: readonly string[]
}

export type ReviewState = 'approved' | 'changes_requested' | 'commented' | 'dismissed' | 'pending'

export interface Comment {
  readonly id: number
  readonly author: string
  readonly body: string
}

/** On a line of the diff, or an answer to one that is. */
export interface LineComment extends Comment {
  /** The review that it came with. */
  readonly reviewId: number | null
  /** The comment that began the thread; `null`: this one did. */
  readonly replyTo: number | null
  readonly path: string
  /** `null` where the line is gone. */
  readonly line: number | null
}

export interface Review {
  readonly id: number
  readonly author: string
  readonly state: ReviewState
  readonly body: string
  /** The head that it was written about; `null` where that is gone. */
  readonly sha: string | null
}

export interface NewReview {
  readonly sha: string
  readonly verdict: 'approve' | 'request_changes' | 'comment'
  readonly body: string
  /** Each on a line of the new side that the diff shows. */
  readonly comments: readonly { readonly path: string; readonly line: number; readonly body: string }[]
}

export type Posted =
  | { kind: 'posted' }
  /** Nobody may approve, or ask for changes to, what is their own: a comment is possible. */
  | { kind: 'own_pull_request' }
  /** A review of ours was begun and not sent off. */
  | { kind: 'pending_review' }
  /** A comment is on a line that the diff does not have. */
  | { kind: 'bad_line'; message: string }
  | { kind: 'refused'; message: string }

export interface Merge {
  /** The head that was judged: another one is not merged. */
  readonly sha: string
  readonly method: TaskOptions['mergeMethod']
}

export type Merged =
  | { kind: 'merged'; sha: string }
  /** Someone merged or pushed at the same moment: may be asked again at once. */
  | { kind: 'base_moved' }
  | { kind: 'head_moved' }
  /** It does not go together with the base. */
  | { kind: 'conflict'; message: string }
  | { kind: 'draft' }
  /** A check that the base demands has not passed yet. */
  | { kind: 'check_expected'; message: string }
  /** A person has to approve. */
  | { kind: 'review_expected'; message: string }
  | { kind: 'refused'; message: string }

/** Why a forge did not answer as asked. */
export type ForgeFault =
  /** The token is wrong, revoked or out of date. */
  | 'credentials_refused'
  /** The token may not do this. */
  | 'forbidden'
  /** There is no such thing, or the token may not see it. */
  | 'not_found'
  /** It has no such call. */
  | 'not_offered'
  /** Nothing can be changed in it any more. */
  | 'archived'
  /** Too many calls: `retryAfterMs` says when to come back. */
  | 'rate_limited'
  /** Down, slow, or an answer that was lost: what was asked for may have happened. */
  | 'unreachable'
  /** It does not take what was asked: a mistake of ours. */
  | 'unexpected'

export class ForgeFailure extends Error {
  override readonly name = 'ForgeFailure'
  readonly fault: ForgeFault
  readonly retryAfterMs: number | null

  constructor(fault: ForgeFault, message: string, facts: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: facts.cause })
    this.fault = fault
    this.retryAfterMs = facts.retryAfterMs ?? null
  }
}
