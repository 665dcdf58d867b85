import type { ForgeRepository, Merged, PullRequest } from '../../ports/forge.ts'
import type { Work } from '../../ports/publisher.ts'
import { inStep } from '../attempt.ts'
import type { Book } from '../book.ts'
import type { Desk } from '../desk.ts'
import { answered } from '../forge-answers.ts'
import { leftToPeople } from '../left-to-people.ts'
import { Stop } from '../reasons.ts'
import { cameOn, park } from '../waiting.ts'
import { rebaseOnto, type Onto, type Tip } from './rebase.ts'
import { wrapUp } from './wrap-up.ts'

/** How a try to merge ended: merged, what became of work whose base had moved, or why it is left to people. */
export type MergeEnd = { kind: 'merged'; sha: string } | Onto | { kind: 'stays'; reason: string }

export interface OnForge {
  readonly forge: ForgeRepository
  readonly pull: PullRequest
}

/** A base that moves under every try is not going to stand still. */
const maxTries = 5

/**
 * Merges, in the turn of the train of this repository and base: nobody else does meanwhile. Whatever has to be waited
 * for gives the train back first.
 */
export async function merge(desk: Desk, work: Work, at: OnForge | null): Promise<MergeEnd> {
  const { attempt, book } = desk
  const { parts, claimed, signal } = attempt
  const base = at?.pull.base.branch ?? desk.base
  signal.throwIfAborted()
  if (!(await parts.store.boardTrain(claimed.lease, base))) {
    return park(book, { hold: 'train', reason: `waits for another merge into ${base}`, delayMs: 5000 })
  }
  try {
    const tip = await parts.publisher.resolve(claimed.task.repo, base)
    if (at === null && (await isMerged(desk, work, tip))) return await landed(desk, work, base)
    const moved = await rebaseOnto(desk, work, { sha: tip.sha, branch: base })
    if (moved !== null) return moved
    return at === null ? await fastForward(desk, work, base, tip.sha) : await onForge(desk, work, at, tip.sha)
  } finally {
    await parts.store.leaveTrain(claimed.lease, base)
  }
}

/** A plain remote: the base is moved to the head, which builds on where it stands. */
function fastForward(desk: Desk, work: Work, base: string, tipSha: string): Promise<MergeEnd> {
  const { attempt, book } = desk
  const { publisher } = attempt.parts
  const { repo } = attempt.claimed.task
  return inStep(attempt, 'merge', async () => {
    await book.write({ merging: { headSha: work.headSha, baseSha: tipSha } })
    const answer = await publisher.push(work, { branch: base, expected: tipSha })
    if (answer.kind === 'refused') {
      return { kind: 'stays', reason: leftToPeople.baseRefuses(base, answer.message) }
    }
    // Whatever was answered: only the remote says how it ended, and somebody may have pushed on top of it since.
    if (await isMerged(desk, work, await publisher.resolve(repo, base))) return landed(desk, work, base)
    return park(book, { hold: 'train', reason: `${base} has moved meanwhile`, delayMs: 500 })
  })
}

/** Whether the base has the very head that was meant to be merged. */
async function isMerged({ attempt, book }: Desk, work: Work, tip: Tip): Promise<boolean> {
  if (book.progress.merging?.headSha !== work.headSha) return false
  return attempt.parts.publisher.isOn(work, { ...tip })
}

async function landed(desk: Desk, work: Work, base: string): Promise<MergeEnd> {
  desk.attempt.journal.note('merge', `${base} has ${work.headSha}`, { mergedSha: work.headSha })
  await removeBranch(desk, work)
  return { kind: 'merged', sha: work.headSha }
}

/** The branch has done its work: its head is on the base. */
async function removeBranch({ attempt, book }: Desk, work: Work): Promise<void> {
  const branch = book.progress.pushed?.branch
  if (branch === undefined) return
  const answer = await attempt.parts.publisher.deleteBranch(work, branch)
  if (answer.kind !== 'pushed') attempt.journal.note('merge', `the branch ${branch} stays where it is`)
}

async function onForge(desk: Desk, work: Work, at: OnForge, tipSha: string): Promise<MergeEnd> {
  const { attempt, book } = desk
  const { forge } = at
  await checksPassed(desk, work, forge)
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
          return park(book, { hold: 'forge', reason: 'waits for the forge to say whether it can be merged' })
        }
        await attempt.parts.clock.sleep(250 * 2 ** tries, attempt.signal)
        continue
      }
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
    return park(book, { hold: 'train', reason: 'the base moved under every try to merge', delayMs: 1000 })
  })
}

/** What a refusal leads to: `null`, and it is tried again; or why it stays; or a wait. */
async function afterRefusal(
  desk: Desk,
  pull: PullRequest,
  merged: Exclude<Merged, { kind: 'merged' }>,
): Promise<string | null> {
  const { attempt, book } = desk
  const { options } = attempt.claimed
  switch (merged.kind) {
    case 'base_moved':
      return null
    case 'conflict':
      // Said, too, of one that is merged, and while the forge is still finding out; what conflicts is rebased.
      return park(book, {
        hold: 'train',
        reason: 'the forge could not merge it with the base of now',
        delayMs: 1000,
      })
    case 'head_moved':
      return park(book, { hold: 'forge', reason: 'waits for the forge to see the head' })
    case 'draft':
      return leftToPeople.draft()
    case 'check_expected':
      return park(book, { hold: 'forge', reason: `waits for the forge: ${merged.message}` })
    case 'review_expected':
      if (options.merge === 'checks') return leftToPeople.baseRefuses(pull.base.branch, merged.message)
      return park(book, { hold: 'forge', reason: `waits for people: ${merged.message}` })
    case 'refused':
      return leftToPeople.baseRefuses(pull.base.branch, merged.message)
    default:
      return merged satisfies never
  }
}

/** The forge's own checks on this very head: all that were reported have passed. */
async function checksPassed({ attempt, book }: Desk, work: Work, forge: ForgeRepository): Promise<void> {
  const checks = await answered(attempt, book, () => forge.checks(work.headSha))
  if (checks.failed.length > 0) {
    throw new Stop({
      kind: 'forge_checks_failed',
      failed: checks.failed,
      url: book.progress.pullRequest?.url ?? '',
    })
  }
  if (checks.pending.length > 0) return waitForChecks(book, checks.pending, work.headSha)
  if (
    checks.passed.length === 0 &&
    (await expectsChecks(work)) &&
    !isOld(book.progress.pushed?.confirmedAt)
  ) {
    return park(book, { hold: 'forge', reason: 'waits for the first check to be reported' })
  }
  await cameOn(book)
}

export function waitForChecks(book: Book, pending: readonly string[], sha: string): Promise<never> {
  const names = pending.slice(0, 5).join(', ')
  return park(book, { hold: 'forge', reason: `waits for checks: ${names}`, checksOf: sha })
}

/** Workflows report some seconds after the push; where nothing has come by then, nothing will. */
const firstCheckMs = 60_000

function isOld(confirmedAt: string | undefined): boolean {
  return confirmedAt !== undefined && Date.now() - Date.parse(confirmedAt) > firstCheckMs
}

async function expectsChecks(work: Work): Promise<boolean> {
  const tree = await work.headTree()
  return [...tree.keys()].some((path) => /^\.github\/workflows\/[^/]+\.ya?ml$/.test(path))
}
