import { asksForChanges } from '../model/review.ts'
import type { ForgeRepository, PullRequest } from '../ports/forge.ts'
import type { Work } from '../ports/publisher.ts'
import type { Ending } from '../ports/lease.ts'
import { keepBase, keepJudged, type Desk } from './desk.ts'
import { answered } from './forge-answers.ts'
import { leftToPeople, reviewFindings } from './left-to-people.ts'
import { Stop } from './reasons.ts'
import { gate, type Findings } from './steps/gate.ts'
import { receive } from './steps/hand-over.ts'
import { merge, type MergeEnd, type OnForge } from './steps/merge.ts'
import { answerThreads } from './steps/answer-threads.ts'
import { hearPeople } from './steps/people.ts'
import { postReview } from './steps/post-review.ts'
import { propose } from './steps/propose.ts'
import { publish } from './steps/publish.ts'
import { resolve } from './steps/rebase.ts'
import { review, wantsReview } from './steps/review.ts'
import { wrapUp } from './steps/wrap-up.ts'
import { park, WaitedTooLong } from './waiting.ts'

/**
 * Brings judged work to its end: pushed, proposed, reviewed, mended, merged, as far as was asked. Every step looks for
 * what an earlier attempt did before it does it, so that it can be taken up at any point.
 */
export async function deliver(first: Desk, judged: Work): Promise<Ending> {
  let desk = first
  let work = judged
  for (;;) {
    const next = await inTime(desk, work)
    if (next.kind === 'ended') return next.ending
    work = next.work
    desk = next.desk
  }
}

type Next = { kind: 'ended'; ending: Ending } | { kind: 'again'; desk: Desk; work: Work }

/** What was waited for and did not come for a day leaves the task as it stands. */
async function inTime(desk: Desk, work: Work): Promise<Next> {
  try {
    return await once(desk, work)
  } catch (error) {
    if (!(error instanceof WaitedTooLong) || desk.attempt.evidence.confirmedAt === null) throw error
    return stays(desk, leftToPeople.waitedTooLong(error.message))
  }
}

async function once(desk: Desk, work: Work): Promise<Next> {
  const { attempt, book } = desk
  const { claimed, parts } = attempt
  const forge = parts.forge?.repository(claimed.task.repo) ?? null
  const branch = await bringToRemote(desk, work)
  if (branch.kind === 'ended') return branch
  let pull: PullRequest | null = null
  if (forge !== null) {
    const proposed = await answered(attempt, book, () => propose(attempt, forge, book, branch.branch))
    if (proposed.kind === 'nothing') return ended(desk, 'no_changes', leftToPeople.nothingToPropose())
    pull = proposed.pull
    showPullRequest(desk, pull)
    const over = await whatPeopleDid(desk, work, { forge, pull })
    if (over !== null) return over
    await answerMended(desk, work, { forge, pull })
  }
  const at = forge === null || pull === null ? null : { forge, pull }
  if (wantsReview(attempt)) {
    const mended = await reviewed(desk, work, forge, pull)
    if (mended !== null) return mended
  }
  if (at !== null) {
    const asked = await heardPeople(desk, work, at)
    if (asked !== null) return asked
  }
  if (claimed.options.merge === 'never') return stays(desk, null)
  return afterMerge(desk, work, await merge(desk, work, at))
}

/** The train was left: what needs the agent again takes its time now. */
async function afterMerge(desk: Desk, work: Work, end: MergeEnd): Promise<Next> {
  switch (end.kind) {
    case 'merged':
      showMerged(desk, end.sha)
      return ended(desk, 'merged', null)
    case 'moved':
      return { kind: 'again', desk: end.desk, work: end.work }
    case 'conflict':
      return { kind: 'again', ...(await resolve(desk, work, end.tip, end.conflict)) }
    case 'broken': {
      const { rounds } = desk.book.progress
      if (rounds >= end.desk.rules.file.fixRounds) throw new Stop(end.findings.reason)
      await desk.book.write({ rounds: rounds + 1 })
      end.desk.workshop.startFrom({ bundle: await end.work.bundle(), headSha: end.work.headSha })
      const mended = await mend(end.desk, end.work, rounds + 1, end.findings)
      if (mended === null) throw new Stop(end.findings.reason)
      return mended
    }
    case 'stays':
      return stays(desk, end.reason)
    default:
      return end satisfies never
  }
}

/** Pushes and confirms, unless the remote was seen to have this head: then a person may have pushed since. */
async function bringToRemote(
  desk: Desk,
  work: Work,
): Promise<{ kind: 'there'; branch: string } | Extract<Next, { kind: 'ended' }>> {
  const { attempt, book, heads } = desk
  const { pushed } = book.progress
  if (pushed?.sha === work.headSha) {
    attempt.evidence = { ...attempt.evidence, confirmedAt: pushed.confirmedAt }
    return { kind: 'there', branch: pushed.branch }
  }
  try {
    const branch = await publish(attempt, work, { branch: pushed?.branch ?? null, heads })
    heads.add(work.headSha)
    const confirmedAt = attempt.evidence.confirmedAt ?? new Date().toISOString()
    await book.write({ pushed: { branch, sha: work.headSha, confirmedAt }, waiting: null })
    return { kind: 'there', branch }
  } catch (error) {
    if (pushed === null || !(error instanceof Stop) || error.reason.kind !== 'branch_taken') throw error
    // What was confirmed before is what can be told; a person has taken the branch over.
    const { sha, confirmedAt } = pushed
    attempt.evidence = { ...attempt.evidence, headSha: sha, confirmedAt }
    return stays(desk, leftToPeople.pushedByOthers(pushed.branch))
  }
}

/** A pull request belongs to people, too: what they did to it counts. */
async function whatPeopleDid(desk: Desk, work: Work, at: OnForge): Promise<Next | null> {
  const { pull } = at
  switch (pull.state) {
    case 'merged':
      // Ours, if we were about to: the rest of it may still be to do.
      if (desk.book.progress.merging?.headSha === work.headSha && pull.mergedSha !== null) {
        await wrapUp(desk, work, at, pull.mergedSha)
      }
      showMerged(desk, pull.mergedSha)
      return ended(desk, 'merged', null)
    case 'closed':
      throw new Stop({ kind: 'pull_request_closed', url: pull.url })
    case 'open':
      break
    default:
      return pull.state satisfies never
  }
  // A forge can be a moment behind its own git: what it shows is a person's only if it is not ours.
  const { attempt, heads } = desk
  const known = [work.headSha, ...attempt.claimed.ownShas, ...heads]
  return known.includes(pull.head.sha) ? null : stays(desk, leftToPeople.pushedByOthers(pull.head.branch))
}

/** The review of this head, made or remembered; `null`: nothing in it stands in the way. */
async function reviewed(
  desk: Desk,
  work: Work,
  forge: ForgeRepository | null,
  pull: PullRequest | null,
): Promise<Next | null> {
  const { attempt, book, source, rules } = desk
  if (book.progress.review?.headSha !== work.headSha) {
    const made = await review(attempt, source, rules, work, book.progress.rounds)
    await book.write({ review: { headSha: work.headSha, review: made, posted: false } })
  }
  const kept = book.progress.review
  if (kept === null) return null
  if (forge !== null && pull !== null && !kept.posted) {
    await answered(attempt, book, () => postReview(attempt, forge, book, pull, work, kept.review))
    showPullRequest(desk, pull)
  }
  attempt.evidence = { ...attempt.evidence, review: kept.review }
  if (!asksForChanges(kept.review)) return null
  const { rounds } = book.progress
  if (rounds >= rules.file.fixRounds) return stays(desk, leftToPeople.reviewRefuses(kept.review))
  const findings = reviewFindings(kept.review)
  await book.write({ rounds: rounds + 1, toAnswer: work.headSha })
  const mended = await mend(desk, work, rounds + 1, findings)
  return mended ?? stays(desk, leftToPeople.reviewRefuses(kept.review))
}

/** The head that was asked to be mended is not the head any more: whoever asked is told. */
async function answerMended({ attempt, book }: Desk, work: Work, at: OnForge): Promise<void> {
  const { toAnswer } = book.progress
  if (toAnswer === null || toAnswer === work.headSha) return
  await answered(attempt, book, () => answerThreads(attempt, at.forge, book, at.pull, work))
}

/** What people ask for goes to the author, then they are waited for; `null`: none of them stands in the way. */
async function heardPeople(desk: Desk, work: Work, at: OnForge): Promise<Next | null> {
  const { attempt, book, rules } = desk
  const heard = await answered(attempt, book, () =>
    hearPeople(attempt, at.forge, book, at.pull, work.headSha),
  )
  if (heard.asking.length === 0) return null
  const reason = leftToPeople.peopleAsk(heard.asking)
  if (heard.words === null) {
    if (attempt.claimed.options.merge === 'never') return stays(desk, reason)
    return park(book, { hold: 'forge', reason: `waits for ${heard.asking.join(', ')} to look again` })
  }
  const { rounds } = book.progress
  if (rounds >= rules.file.fixRounds) return stays(desk, reason)
  const said = Object.fromEntries(heard.ids.map((id) => [id, work.headSha]))
  await book.write({
    rounds: rounds + 1,
    toAnswer: work.headSha,
    heard: { ...book.progress.heard, ...said },
    waiting: null,
  })
  const findings: Findings = { reason: { kind: 'review_unusable', fault: reason }, words: heard.words }
  return (await mend(desk, work, rounds + 1, findings)) ?? stays(desk, reason)
}

/** One round of the agent, and the whole gate again, as often as rounds are left. `null`: it did not change anything. */
async function mend(desk: Desk, before: Work, round: number, first: Findings): Promise<Next | null> {
  const { attempt, book, source, rules, workshop } = desk
  let findings = first
  for (let number = round; ; number += 1) {
    const keep = (headSha: string) => keepBase(desk, headSha)
    const work = await receive(attempt, source, workshop, { round: number, findings: findings.words, keep })
    if (work === null || work.headSha === before.headSha) return null
    const found = await gate(attempt, source, rules, work)
    if (found === null) {
      await keepJudged(desk, work)
      return { kind: 'again', desk, work }
    }
    if (number >= rules.file.fixRounds) throw new Stop(found.reason)
    await book.write({ rounds: number + 1 })
    findings = found
  }
}

function showPullRequest({ attempt, book }: Desk, pull: PullRequest): void {
  const { number, url } = pull
  const before = attempt.evidence.pullRequest?.mergedSha ?? null
  const pullRequest = { number, url, reviews: book.progress.reviews, mergedSha: before }
  attempt.evidence = { ...attempt.evidence, pullRequest }
}

function showMerged({ attempt }: Desk, mergedSha: string | null): void {
  const { pullRequest } = attempt.evidence
  attempt.evidence = {
    ...attempt.evidence,
    mergedSha,
    pullRequest: pullRequest === null ? null : { ...pullRequest, mergedSha },
  }
}

/** Nothing more is done by us: a pull request stays open, a branch stays pushed. */
function stays(desk: Desk, reason: string | null): Next & { kind: 'ended' } {
  return ended(desk, desk.attempt.evidence.pullRequest === null ? 'pushed' : 'open', reason)
}

function ended(
  { attempt }: Desk,
  outcome: Ending['outcome'],
  reason: string | null,
): Next & { kind: 'ended' } {
  const words = reason === null ? null : attempt.parts.mask(reason)
  return { kind: 'ended', ending: { outcome, reason: words, evidence: attempt.evidence } }
}
