import type { ForgeRepository, PullRequest } from '../ports/forge.ts'
import type { Work } from '../ports/publisher.ts'
import type { Ending } from '../ports/lease.ts'
import type { Desk } from './desk.ts'
import { ended, showMerged, showPullRequest, stays, type Next } from './ends.ts'
import { answered } from './forge-answers.ts'
import { leftToPeople } from './left-to-people.ts'
import { answerMended, heardPeople, mend, reviewed } from './mending.ts'
import { Stop } from './reasons.ts'
import { merge, type MergeEnd, type OnForge } from './steps/merge.ts'
import { propose } from './steps/propose.ts'
import { publish } from './steps/publish.ts'
import { resolve } from './steps/rebase.ts'
import { wantsReview } from './steps/review.ts'
import { wrapUp } from './steps/wrap-up.ts'
import { WaitedTooLong } from './waiting.ts'

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
  const before = await endedBefore(desk, work, forge)
  if (before !== null) return before
  const branch = await bringToRemote(desk, work)
  if (branch.kind === 'ended') return branch
  let pull: PullRequest | null = null
  if (forge !== null) {
    const proposed = await answered(attempt, book, () =>
      propose(attempt, forge, book, { work, branch: branch.branch }),
    )
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
  const end = await merge(desk, work, at)
  if (end.kind === 'merged') {
    showMerged(desk, end.sha)
    return ended(desk, 'merged', null)
  }
  // A person may have been faster: then there is nothing left to do, or nobody left to do it for.
  const over = at === null ? null : await endedMeanwhile(desk, work, at, end)
  return over ?? afterMerge(desk, work, end)
}

/** The train was left: what needs the agent again takes its time now. */
async function afterMerge(desk: Desk, work: Work, end: Exclude<MergeEnd, { kind: 'merged' }>): Promise<Next> {
  switch (end.kind) {
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
    case 'nothing_left':
      return stays(desk, leftToPeople.nothingLeft(end.branch))
    case 'stays':
      return stays(desk, end.reason)
    default:
      return end satisfies never
  }
}

/** A forge can show a pull request as open for a moment after its base has all of it. */
const behindWaitsMs = [500, 1000, 2000, 4000]

/** What people did to the pull request while we tried to merge it; `null`: it is as open as before. */
async function endedMeanwhile(
  desk: Desk,
  work: Work,
  { forge, pull }: OnForge,
  end: MergeEnd,
): Promise<Next | null> {
  const { attempt, book } = desk
  for (const waitMs of end.kind === 'nothing_left' ? [0, ...behindWaitsMs] : [0]) {
    await attempt.parts.clock.sleep(waitMs, attempt.signal)
    const now = await answered(attempt, book, () => forge.pullRequest(pull.number))
    const over = await whatPeopleDid(desk, work, { forge, pull: now })
    if (over !== null) return over
  }
  return null
}

/** A person may have ended the pull request while the work was mended: then nothing more is pushed. */
async function endedBefore(desk: Desk, work: Work, forge: ForgeRepository | null): Promise<Next | null> {
  const { attempt, book } = desk
  const { pushed, pullRequest } = book.progress
  if (forge === null || pushed === null || pullRequest === null || pushed.sha === work.headSha) return null
  const pull = await answered(attempt, book, () => forge.pullRequest(pullRequest.number))
  if (pull.state === 'open') return null
  attempt.evidence = { ...attempt.evidence, headSha: pushed.sha, confirmedAt: pushed.confirmedAt }
  showPullRequest(desk, pull)
  return whatPeopleDid(desk, work, { forge, pull })
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
