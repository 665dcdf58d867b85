import { branchSha, git, runGit } from '../repositories.ts'
import {
  checkRunsBody,
  lineCommentBody,
  pullBody,
  repositoryBody,
  reviewBody,
  statusBody,
  userBody,
} from './bodies.ts'
import { fill } from './openapi.ts'
import { lineCommentsOf, type StandInPull, type StandInRepository, type StandInReview } from './repository.ts'

export interface Call {
  readonly user: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: unknown
  /** `null` where the route names none. */
  readonly repository: StandInRepository | null
  readonly url: string
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

export type Handler = (call: Call) => Promise<Answer> | Answer

/** GitHub says no, in its own words. */
export class Refusal extends Error {
  readonly status: number
  readonly errors: readonly unknown[] | undefined

  constructor(status: number, message: string, errors?: readonly unknown[]) {
    super(message)
    this.status = status
    this.errors = errors
  }
}

const one = '/repos/{owner}/{repo}'

/** The operations that GitHub's description names so; see openapi-parts.json. */
export function addRoutes(add: (operation: string, handler: Handler) => void): void {
  add('GET /user', ({ user }) => good(fill('private-user', { login: user, type: 'User' })))
  add(`GET ${one}`, async (call) => good(await repositoryBody(repo(call), call.url, 'full-repository')))
  add(`GET ${one}/pulls`, listPulls)
  add(`POST ${one}/pulls`, createPull)
  add(`GET ${one}/pulls/{pull_number}`, async (call) =>
    good(await pullBody(repo(call), pull(call), call.url, 'pull-request')),
  )
  add(`PATCH ${one}/pulls/{pull_number}`, async (call) => {
    pull(call).body = (call.body as { body?: string }).body ?? pull(call).body
    return good(await pullBody(repo(call), pull(call), call.url, 'pull-request'))
  })
  add(`PUT ${one}/pulls/{pull_number}/merge`, merge)
  add(`GET ${one}/pulls/{pull_number}/reviews`, (call) => good(pull(call).reviews.map(reviewBody)))
  add(`POST ${one}/pulls/{pull_number}/reviews`, createReview)
  add(`GET ${one}/pulls/{pull_number}/comments`, (call) =>
    good(lineCommentsOf(pull(call)).map(lineCommentBody)),
  )
  add(`POST ${one}/pulls/{pull_number}/comments/{comment_id}/replies`, replyTo)
  add(`GET ${one}/issues/{issue_number}/comments`, (call) =>
    good(pull(call).comments.map((comment, index) => commentBody(comment, index + 1))),
  )
  add(`POST ${one}/issues/{issue_number}/comments`, (call) => {
    const { body } = call.body as { body: string }
    const comment = { user: call.user, body }
    pull(call).comments.push(comment)
    return { status: 201, body: commentBody(comment, pull(call).comments.length) }
  })
  add(`POST ${one}/issues/{issue_number}/labels`, (call) => {
    pull(call).labels.push(...(call.body as { labels: string[] }).labels)
    return good([])
  })
  add(`POST ${one}/pulls/{pull_number}/requested_reviewers`, async (call) => {
    const { reviewers } = call.body as { reviewers: string[] }
    if (reviewers.includes('stranger')) {
      const words = 'One or more of the users or teams you specified is not a collaborator of the repository.'
      throw new Refusal(422, `Reviews may only be requested from collaborators. ${words}`)
    }
    pull(call).reviewers.push(...reviewers)
    return { status: 201, body: await pullBody(repo(call), pull(call), call.url, 'pull-request-simple') }
  })
  add(`GET ${one}/commits/{ref}/check-runs`, (call) =>
    good(checkRunsBody(repo(call), call.params['ref'] ?? '')),
  )
  add(`GET ${one}/commits/{ref}/status`, async (call) =>
    good(await statusBody(repo(call), call.params['ref'] ?? '', call.url)),
  )
  add(`DELETE ${one}/git/refs/{ref}`, deleteRef)
}

async function listPulls(call: Call): Promise<Answer> {
  const repository = repo(call)
  const branch = call.query['head']?.split(':')[1]
  const state = call.query['state'] ?? 'open'
  const found: unknown[] = []
  for (const each of repository.pulls.toReversed()) {
    await repository.headOf(each)
    const wanted = state === 'all' || each.closed === (state === 'closed')
    if (wanted && (branch === undefined || each.head === branch)) {
      found.push(await pullBody(repository, each, call.url, 'pull-request-simple'))
    }
  }
  return good(found)
}

async function createPull(call: Call): Promise<Answer> {
  const repository = repo(call)
  if (repository.archived) throw new Refusal(403, 'Repository was archived so is read-only.')
  const asked = call.body as { title: string; head: string; base: string; body?: string; draft?: boolean }
  const head = await branchSha(repository.path, asked.head)
  const base = await branchSha(repository.path, asked.base)
  const invalid = (field: string) => ({ resource: 'PullRequest', field, code: 'invalid' })
  if (head === null) throw new Refusal(422, 'Validation Failed', [invalid('head')])
  if (base === null) throw new Refusal(422, 'Validation Failed', [invalid('base')])
  const custom = (message: string) => [{ resource: 'PullRequest', code: 'custom', message }]
  const before = repository.pulls.find(
    (each) => !each.closed && each.head === asked.head && each.base === asked.base,
  )
  if (before !== undefined) {
    const text = `A pull request already exists for ${repository.owner}:${asked.head}.`
    throw new Refusal(422, 'Validation Failed', custom(text))
  }
  if (!(await repository.differs(base, head))) {
    throw new Refusal(422, 'Validation Failed', custom(`No commits between ${asked.base} and ${asked.head}`))
  }
  const made: StandInPull = {
    number: repository.pulls.length + 1,
    user: call.user,
    title: asked.title,
    body: asked.body ?? '',
    head: asked.head,
    base: asked.base,
    draft: asked.draft ?? false,
    closed: false,
    mergedSha: null,
    lastHead: head,
    reviews: [],
    comments: [],
    labels: [],
    reviewers: [],
    asked: new Set(),
    replies: [],
    resolved: new Set(),
  }
  repository.pulls.push(made)
  const body = await pullBody(repository, made, call.url, 'pull-request')
  // The answer says null, and so does the first that comes after it.
  made.asked.clear()
  return { status: 201, body }
}

async function merge(call: Call): Promise<Answer> {
  const repository = repo(call)
  const found = pull(call)
  const asked = call.body as { sha?: string; merge_method?: string }
  const head = await repository.headOf(found)
  if (found.closed) throw new Refusal(405, 'Pull Request is not mergeable')
  if (repository.archived) throw new Refusal(403, 'Repository was archived so is read-only.')
  if (found.draft) throw new Refusal(405, 'Pull Request is still a draft')
  if (asked.sha !== undefined && asked.sha !== head) {
    throw new Refusal(409, 'Head branch was modified. Review and try the merge again.')
  }
  const method = asked.merge_method ?? 'merge'
  if (!repository.methods.has(method)) {
    throw new Refusal(405, 'Merge commits are not allowed on this repository.')
  }
  const obstacle = repository.admin ? null : await repository.obstacle(found)
  if (obstacle !== null) throw new Refusal(405, obstacle)
  const sha = await repository.merge(found, method)
  if (sha === null) throw new Refusal(405, 'Pull Request is not mergeable')
  return good({ sha, merged: true, message: 'Pull Request successfully merged' })
}

async function createReview(call: Call): Promise<Answer> {
  const repository = repo(call)
  const found = pull(call)
  const asked = call.body as {
    event?: string
    body?: string
    commit_id?: string
    comments?: { path: string; line: number; body: string }[]
  }
  if (found.reviews.some((review) => review.user === call.user && review.state === 'PENDING')) {
    throw new Refusal(422, 'Validation Failed', ['User can only have one pending review per pull request'])
  }
  if (call.user === found.user && asked.event === 'APPROVE') {
    throw new Refusal(422, 'Unprocessable Entity', ['Can not approve your own pull request'])
  }
  if (call.user === found.user && asked.event === 'REQUEST_CHANGES') {
    throw new Refusal(422, 'Unprocessable Entity', ['Can not request changes on your own pull request'])
  }
  const head = await repository.headOf(found)
  const lines = await linesInDiff(repository, found, head)
  for (const comment of asked.comments ?? []) {
    if (!lines.has(`${comment.path}:${comment.line}`)) {
      throw new Refusal(422, 'Unprocessable Entity', ['Line could not be resolved'])
    }
  }
  const states: Record<string, StandInReview['state']> = {
    APPROVE: 'APPROVED',
    REQUEST_CHANGES: 'CHANGES_REQUESTED',
    COMMENT: 'COMMENTED',
  }
  const review: StandInReview = {
    id: found.reviews.length + 1,
    user: call.user,
    state: states[asked.event ?? ''] ?? 'PENDING',
    body: asked.body ?? '',
    sha: asked.commit_id ?? head,
    comments: asked.comments ?? [],
  }
  found.reviews.push(review)
  return good(reviewBody(review))
}

/** `path:line` of every line of the new side that the diff shows, three lines of context included. */
async function linesInDiff(
  repository: StandInRepository,
  found: StandInPull,
  head: string,
): Promise<Set<string>> {
  const base = await repository.baseOf(found)
  const text = await git(repository.path, ['diff', '--no-renames', `${base}...${head}`])
  const lines = new Set<string>()
  let path = ''
  let line = 0
  for (const row of text.split('\n')) {
    const [, at] = /^@@ -\d+(?:,\d+)? \+(\d+)/.exec(row) ?? []
    if (row.startsWith('+++ b/')) path = row.slice('+++ b/'.length)
    else if (at !== undefined) line = Number(at)
    else if (/^[ +]/.test(row)) lines.add(`${path}:${line++}`)
  }
  return lines
}

async function deleteRef(call: Call): Promise<Answer> {
  const ref = `refs/${call.params['ref'] ?? ''}`
  const ended = await runGit(repo(call).path, ['show-ref', '--verify', ref])
  if (ended.exitCode !== 0) throw new Refusal(422, 'Reference does not exist')
  await git(repo(call).path, ['update-ref', '-d', ref])
  return { status: 204, body: null }
}

function replyTo(call: Call): Answer {
  const found = pull(call)
  const to = Number(call.params['comment_id'])
  if (!lineCommentsOf(found).some(({ id, replyTo: of }) => id === to && of === null)) {
    throw new Refusal(404, 'Not Found')
  }
  const { body } = call.body as { body: string }
  const id = found.number * 100_000 + 90_000 + found.replies.length
  found.replies.push({ id, to, user: call.user, body })
  const made = lineCommentsOf(found).find((each) => each.id === id)
  return { status: 201, body: made === undefined ? null : lineCommentBody(made) }
}

function commentBody(comment: { user: string; body: string }, id: number): Record<string, unknown> {
  return fill('issue-comment', { id, user: userBody(comment.user), body: comment.body })
}

function repo(call: Call): StandInRepository {
  if (call.repository === null) throw new Refusal(404, 'Not Found')
  return call.repository
}

function pull(call: Call): StandInPull {
  const number = Number(call.params['pull_number'] ?? call.params['issue_number'])
  const found = repo(call).pulls.find((each) => each.number === number)
  if (found === undefined) throw new Refusal(404, 'Not Found')
  return found
}

function good(body: unknown): Answer {
  return { status: 200, body }
}
