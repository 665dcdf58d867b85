import { asksForChanges } from '../model/review.ts'
import type { ForgeRepository, PullRequest } from '../ports/forge.ts'
import type { Work } from '../ports/publisher.ts'
import { keepBase, keepJudged, type Desk } from './desk.ts'
import { showPullRequest, stays, type Next } from './ends.ts'
import { answered } from './forge-answers.ts'
import { leftToPeople, reviewFindings } from './left-to-people.ts'
import { Stop } from './reasons.ts'
import { answerThreads } from './steps/answer-threads.ts'
import { gate, type Findings } from './steps/gate.ts'
import { receive } from './steps/hand-over.ts'
import type { OnForge } from './steps/merge.ts'
import { hearPeople } from './steps/people.ts'
import { postReview } from './steps/post-review.ts'
import { review } from './steps/review.ts'
import { park } from './waiting.ts'

/** The review of this head, made or remembered; `null`: nothing in it stands in the way. */
export async function reviewed(
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
export async function answerMended({ attempt, book }: Desk, work: Work, at: OnForge): Promise<void> {
  const { toAnswer } = book.progress
  if (toAnswer === null || toAnswer === work.headSha) return
  await answered(attempt, book, () => answerThreads(attempt, at.forge, book, at.pull, work))
}

/** What people ask for goes to the author, then they are waited for; `null`: none of them stands in the way. */
export async function heardPeople(desk: Desk, work: Work, at: OnForge): Promise<Next | null> {
  const { attempt, book, rules } = desk
  const heard = await answered(attempt, book, () =>
    hearPeople(attempt, at.forge, book, at.pull, work.headSha),
  )
  if (heard.asking.length === 0) return null
  const reason = leftToPeople.peopleAsk(heard.asking)
  if (heard.words === null) {
    if (attempt.claimed.options.merge === 'never') return stays(desk, reason)
    return park(book, {
      for: 'people',
      hold: 'forge',
      reason: `waits for ${heard.asking.join(', ')} to look again`,
    })
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
export async function mend(desk: Desk, before: Work, round: number, first: Findings): Promise<Next | null> {
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
