import { z } from 'zod'
import {
  ForgeFailure,
  type ForgeChecks,
  type LineComment,
  type PullRequest,
  type Review,
} from '../ports/forge.ts'

/* Of what GitHub answers, the parts that are used here; shapes from its OpenAPI description. */

const login = z.object({ login: z.string() }).nullish()

const pullRequest = z.object({
  number: z.int().positive(),
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().nullish(),
  user: login,
  body: z.string().nullish(),
  merged_at: z.string().nullish(),
  merged: z.boolean().nullish(),
  merge_commit_sha: z.string().nullish(),
  mergeable: z.boolean().nullish(),
  mergeable_state: z.string().nullish(),
  head: z.object({ ref: z.string(), sha: z.string() }),
  base: z.object({ ref: z.string() }),
})

const review = z.object({
  id: z.int(),
  user: login,
  body: z.string().nullish(),
  state: z.string(),
  commit_id: z.string().nullish(),
})

const checkRuns = z.object({
  check_runs: z.array(z.object({ name: z.string(), status: z.string(), conclusion: z.string().nullish() })),
})

const combinedStatus = z.object({
  statuses: z.array(z.object({ context: z.string(), state: z.string() })),
})

export const repositoryAnswer = z.object({
  default_branch: z.string(),
  archived: z.boolean().nullish(),
  permissions: z.object({ admin: z.boolean() }).nullish(),
})
export const mergeAnswer = z.object({ sha: z.string(), merged: z.boolean() })
export const commentsAnswer = z.array(z.object({ id: z.int(), user: login, body: z.string().nullish() }))

const lineComments = z.array(
  z.object({
    id: z.int(),
    user: login,
    body: z.string().nullish(),
    pull_request_review_id: z.int().nullish(),
    in_reply_to_id: z.int().nullish(),
    path: z.string(),
    line: z.int().nullish(),
  }),
)

/** The answer in this shape; throws {@link ForgeFailure} where a proxy, say, answered in GitHub's place. */
export function read<T>(shape: z.ZodType<T>, data: unknown): T {
  const parsed = shape.safeParse(data)
  if (parsed.success) return parsed.data
  const where = parsed.error.issues[0]
  const message = `GitHub answered in an unknown shape: ${where?.path.join('.') ?? ''} ${where?.message ?? ''}`
  throw new ForgeFailure('unreachable', message)
}

export function readPullRequest(data: unknown): PullRequest {
  const found = read(pullRequest, data)
  // Lists have the time alone.
  const merged = found.merged === true || typeof found.merged_at === 'string'
  return {
    number: found.number,
    url: found.html_url,
    state: merged ? 'merged' : found.state,
    draft: found.draft ?? false,
    author: found.user?.login ?? '',
    body: found.body ?? '',
    head: { branch: found.head.ref, sha: found.head.sha },
    base: { branch: found.base.ref },
    mergeable: found.mergeable ?? null,
    blocked: found.mergeable_state === 'blocked',
    // Of one that is open, this is a commit that GitHub only tries out.
    mergedSha: merged ? (found.merge_commit_sha ?? null) : null,
  }
}

export function readPullRequests(data: unknown): PullRequest[] {
  return read(z.array(z.unknown()), data).map(readPullRequest)
}

export function readReviews(data: unknown): Review[] {
  return read(z.array(review), data).map((found) => ({
    id: found.id,
    author: found.user?.login ?? '',
    state: stateOf(found.state),
    body: found.body ?? '',
    sha: found.commit_id ?? null,
  }))
}

export function readLineComments(data: unknown): LineComment[] {
  return read(lineComments, data).map((found) => ({
    id: found.id,
    author: found.user?.login ?? '',
    body: found.body ?? '',
    reviewId: found.pull_request_review_id ?? null,
    replyTo: found.in_reply_to_id ?? null,
    path: found.path,
    line: found.line ?? null,
  }))
}

function stateOf(state: string): Review['state'] {
  switch (state.toUpperCase()) {
    case 'APPROVED':
      return 'approved'
    case 'CHANGES_REQUESTED':
      return 'changes_requested'
    case 'DISMISSED':
      return 'dismissed'
    case 'PENDING':
      return 'pending'
    default:
      return 'commented'
  }
}

const passing: ReadonlySet<string> = new Set(['success', 'neutral', 'skipped'])

/** Check runs by apps, and statuses by whoever may write one. A check that was never reported is in neither. */
export function readChecks(runs: readonly unknown[], statuses: readonly unknown[]): ForgeChecks {
  const pending: string[] = []
  const failed: string[] = []
  const passed: string[] = []
  for (const run of runs.flatMap((page) => read(checkRuns, page).check_runs)) {
    if (run.status !== 'completed') pending.push(run.name)
    else if (passing.has(run.conclusion ?? '')) passed.push(run.name)
    else failed.push(`${run.name} (${run.conclusion ?? 'no conclusion'})`)
  }
  for (const status of statuses.flatMap((page) => read(combinedStatus, page).statuses)) {
    if (status.state === 'pending') pending.push(status.context)
    else if (status.state === 'success') passed.push(status.context)
    else failed.push(`${status.context} (${status.state})`)
  }
  return { pending, failed, passed }
}
