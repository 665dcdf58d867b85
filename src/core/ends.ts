import type { PullRequest } from '../ports/forge.ts'
import type { Ending } from '../ports/lease.ts'
import type { Work } from '../ports/publisher.ts'
import type { Desk } from './desk.ts'

/** What follows a step of the delivery: the end of the task, or the same way again with other work. */
export type Next = { kind: 'ended'; ending: Ending } | { kind: 'again'; desk: Desk; work: Work }

/** The pull request, into the evidence. */
export function showPullRequest({ attempt, book }: Desk, pull: PullRequest): void {
  const { number, url } = pull
  const before = attempt.evidence.pullRequest?.mergedSha ?? null
  const pullRequest = { number, url, reviews: book.progress.reviews, mergedSha: before }
  attempt.evidence = { ...attempt.evidence, pullRequest }
}

export function showMerged({ attempt }: Desk, mergedSha: string | null): void {
  const { pullRequest } = attempt.evidence
  attempt.evidence = {
    ...attempt.evidence,
    mergedSha,
    pullRequest: pullRequest === null ? null : { ...pullRequest, mergedSha },
  }
}

/** Nothing more is done by us: a pull request stays open, a branch stays pushed. */
export function stays(desk: Desk, reason: string | null): Next & { kind: 'ended' } {
  return ended(desk, desk.attempt.evidence.pullRequest === null ? 'pushed' : 'open', reason)
}

export function ended(
  { attempt }: Desk,
  outcome: Ending['outcome'],
  reason: string | null,
): Next & { kind: 'ended' } {
  const words = reason === null ? null : attempt.parts.mask(reason)
  return { kind: 'ended', ending: { outcome, reason: words, evidence: attempt.evidence } }
}
