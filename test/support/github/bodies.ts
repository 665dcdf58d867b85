import { fill } from './openapi.ts'
import type { StandInLineComment, StandInPull, StandInRepository, StandInReview } from './repository.ts'

/* Bodies of answers, in the shapes of GitHub's OpenAPI description. */

export function userBody(login: string): Record<string, unknown> {
  return fill('simple-user', { login, type: 'User' })
}

export async function repositoryBody(
  repository: StandInRepository,
  url: string,
  schema: string,
): Promise<Record<string, unknown>> {
  const { owner, name } = repository
  return fill(schema, {
    name,
    full_name: `${owner}/${name}`,
    owner: userBody(owner),
    html_url: `${url}/${owner}/${name}`,
    clone_url: `${url}/${owner}/${name}.git`,
    default_branch: await repository.defaultBranch(),
    archived: repository.archived,
    permissions: { admin: repository.admin, push: true, pull: true },
    private: true,
  })
}

export async function pullBody(
  repository: StandInRepository,
  pull: StandInPull,
  url: string,
  schema: 'pull-request' | 'pull-request-simple',
): Promise<Record<string, unknown>> {
  const head = await repository.headOf(pull)
  const base = await repository.baseOf(pull)
  const repo = await repositoryBody(repository, url, 'repository')
  const side = (ref: string, sha: string) => ({
    label: `${repository.owner}:${ref}`,
    ref,
    sha,
    repo,
    user: userBody(repository.owner),
  })
  const mergeable = schema === 'pull-request' ? await mergeableNow(repository, pull, base, head) : undefined
  const mergeableState = mergeable === undefined ? undefined : await stateOf(repository, pull, mergeable)
  // Nothing is awaited from here on: the fields are of one moment, also where a person merges meanwhile.
  return fill(schema, {
    number: pull.number,
    html_url: `${url}/${repository.owner}/${repository.name}/pull/${pull.number}`,
    state: pull.closed ? 'closed' : 'open',
    title: pull.title,
    body: pull.body,
    draft: pull.draft,
    user: userBody(pull.user),
    merged_at: pull.mergedSha === null ? null : '2026-01-01T00:00:00Z',
    merge_commit_sha: pull.mergedSha,
    head: side(pull.head, head),
    base: side(pull.base, base),
    ...(mergeable === undefined
      ? {}
      : {
          mergeable,
          mergeable_state: mergeableState,
          merged: pull.mergedSha !== null,
        }),
  })
}

async function stateOf(
  repository: StandInRepository,
  pull: StandInPull,
  mergeable: boolean | null,
): Promise<string> {
  if (mergeable === null) return 'unknown'
  if (!mergeable) return 'dirty'
  return (await repository.obstacle(pull)) === null ? 'clean' : 'blocked'
}

async function mergeableNow(
  repository: StandInRepository,
  pull: StandInPull,
  base: string,
  head: string,
): Promise<boolean | null> {
  if (pull.closed) return null
  const key = `${base} ${head}`
  if (!pull.asked.has(key)) {
    pull.asked.add(key)
    return null
  }
  return (await repository.combined(base, head)) !== null
}

export function reviewBody(review: StandInReview): Record<string, unknown> {
  return fill('pull-request-review', {
    id: review.id,
    user: userBody(review.user),
    body: review.body,
    state: review.state,
    commit_id: review.sha,
  })
}

export function lineCommentBody(comment: StandInLineComment): Record<string, unknown> {
  return fill('pull-request-review-comment', {
    id: comment.id,
    user: userBody(comment.user),
    body: comment.body,
    path: comment.path,
    line: comment.line,
    pull_request_review_id: comment.reviewId,
    ...(comment.replyTo === null ? {} : { in_reply_to_id: comment.replyTo }),
  })
}

export function checkRunsBody(repository: StandInRepository, sha: string): Record<string, unknown> {
  const runs = repository.checkRuns.filter((run) => run.sha === sha)
  return {
    total_count: runs.length,
    check_runs: runs.map((run) =>
      fill('check-run', {
        name: run.name,
        head_sha: sha,
        status: run.status,
        conclusion: run.conclusion,
        app: null,
      }),
    ),
  }
}

export async function statusBody(
  repository: StandInRepository,
  sha: string,
  url: string,
): Promise<Record<string, unknown>> {
  const statuses = repository.statuses.filter((status) => status.sha === sha)
  const bad = statuses.some((status) => status.state === 'failure' || status.state === 'error')
  const good = statuses.length > 0 && statuses.every((status) => status.state === 'success')
  return fill('combined-commit-status', {
    // Of a commit that nobody said anything about, GitHub says pending.
    state: bad ? 'failure' : good ? 'success' : 'pending',
    sha,
    total_count: statuses.length,
    statuses: statuses.map(({ context, state }) => fill('simple-commit-status', { context, state })),
    repository: await repositoryBody(repository, url, 'minimal-repository'),
  })
}
