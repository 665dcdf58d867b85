import type { Merged, PullRequest } from '../../ports/forge.ts'
import type { Work } from '../../ports/publisher.ts'
import { inStep } from '../attempt.ts'
import type { Desk } from '../desk.ts'
import { answered } from '../forge-answers.ts'
import { leftToPeople } from '../left-to-people.ts'
import { Stop } from '../reasons.ts'
import { looksFor, park } from '../waiting.ts'
import { checksPassed } from './forge-checks.ts'
import type { MergeEnd, OnForge } from './merge.ts'
import { wrapUp } from './wrap-up.ts'

/** A base that moves under every try is not going to stand still. */
const maxTries = 5
/** A forge that says so often that it cannot be merged, though it goes together with the base, means something else. */
const maxConflicts = 6

/** Asks the forge to merge this head, once its checks have passed; aboard the train. */
export async function mergeOnForge(desk: Desk, work: Work, at: OnForge, tipSha: string): Promise<MergeEnd> {
  const { attempt, book } = desk
  const { forge } = at
  const kept = await checksPassed(desk, work, forge)
  if (kept !== null) return { kind: 'stays', reason: kept }
  return inStep(attempt, 'merge', async () => {
    const { number } = at.pull
    for (let tries = 1; tries <= maxTries; tries += 1) {
      // Asked again each time: it may be merged by now, by us or by a person, or be somebody else's.
      const pull = await answered(attempt, book, () => forge.pullRequest(number))
      if (pull.state === 'merged' && pull.mergedSha !== null) {
        return { kind: 'merged', sha: await wrapUp(desk, work, { forge, pull }, pull.mergedSha) }
      }
      if (pull.state !== 'open') throw new Stop({ kind: 'pull_request_closed', url: pull.url })
      if (pull.draft) return { kind: 'stays', reason: leftToPeople.draft() }
      if (pull.mergeable === null) {
        // Mostly a matter of a second or two, which a new attempt would not be faster in.
        if (tries === maxTries) {
          return park(book, {
            for: 'merge',
            hold: 'forge',
            reason: 'waits for the forge to say whether it can be merged',
          })
        }
        await attempt.parts.clock.sleep(250 * 2 ** tries, attempt.signal)
        continue
      }
      if (pull.blocked) await unlessAdmin(desk, at)
      attempt.signal.throwIfAborted()
      await book.write({ merging: { headSha: work.headSha, baseSha: tipSha } })
      const { mergeMethod } = attempt.claimed.options
      const merged = await answered(attempt, book, () =>
        forge.merge(number, { sha: work.headSha, method: mergeMethod }),
      )
      if (merged.kind === 'merged') {
        return { kind: 'merged', sha: await wrapUp(desk, work, { forge, pull }, merged.sha) }
      }
      const reason = await afterRefusal(desk, pull, merged)
      if (reason !== null) return { kind: 'stays', reason }
    }
    return park(book, { for: 'merge', hold: 'forge', reason: 'the base moved under every try to merge' })
  })
}

/** The forge lets an administrator merge what it refuses to others: we wait, as others have to. */
async function unlessAdmin({ attempt, book }: Desk, { forge, pull }: OnForge): Promise<void> {
  const { isAdmin } = await answered(attempt, book, () => forge.facts())
  const base = pull.base.branch
  if (isAdmin) {
    const reason = `waits for what ${base} demands, which this account might go around, and does not`
    await park(book, { for: 'merge', hold: 'forge', reason })
  }
}

/** What a refusal leads to: `null`, and it is tried again; or why it stays; or a wait. */
async function afterRefusal(
  desk: Desk,
  pull: PullRequest,
  merged: Exclude<Merged, { kind: 'merged' }>,
): Promise<string | null> {
  const { attempt, book } = desk
  const { options } = attempt.claimed
  const base = pull.base.branch
  switch (merged.kind) {
    case 'base_moved':
      return null
    case 'conflict':
      await branchStands(desk, pull)
      // Said, too, of one that is merged, and while the forge is still finding out; what conflicts is rebased.
      if (looksFor(book, 'conflict') >= maxConflicts) return leftToPeople.baseRefuses(base, merged.message)
      return park(book, {
        for: 'conflict',
        hold: 'forge',
        reason: 'the forge could not merge it with the base of now',
      })
    case 'head_moved':
      await branchStands(desk, pull)
      return park(book, { for: 'merge', hold: 'forge', reason: 'waits for the forge to see the head' })
    case 'draft':
      return leftToPeople.draft()
    case 'check_expected':
      return park(book, { for: 'merge', hold: 'forge', reason: `waits for the forge: ${merged.message}` })
    case 'review_expected':
      if (options.merge === 'checks') return leftToPeople.baseRefuses(base, merged.message)
      return park(book, { for: 'people', hold: 'forge', reason: `waits for people: ${merged.message}` })
    case 'refused':
      return leftToPeople.baseRefuses(base, merged.message)
    default:
      return merged satisfies never
  }
}

/** Forges close what has no branch any more; not all do so at once. */
async function branchStands({ attempt }: Desk, pull: PullRequest): Promise<void> {
  const { parts, claimed } = attempt
  const stands = await parts.publisher.branchAt(claimed.task.repo, pull.head.branch)
  if (stands === null) throw new Stop({ kind: 'branch_deleted', branch: pull.head.branch, url: pull.url })
}
