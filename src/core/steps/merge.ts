import type { ForgeRepository, PullRequest } from '../../ports/forge.ts'
import type { Work } from '../../ports/publisher.ts'
import { inStep, Parked } from '../attempt.ts'
import type { Desk } from '../desk.ts'
import { leftToPeople } from '../left-to-people.ts'
import { mergeOnForge } from './merge-on-forge.ts'
import { rebaseOnto, type Onto, type Tip } from './rebase.ts'

/** How a try to merge ended: merged, what became of work whose base had moved, or why it is left to people. */
export type MergeEnd = { kind: 'merged'; sha: string } | Onto | { kind: 'stays'; reason: string }

export interface OnForge {
  readonly forge: ForgeRepository
  readonly pull: PullRequest
}

/**
 * Merges, in the turn of the train of this repository and base: nobody else does meanwhile. Whatever has to be waited
 * for gives the train back first.
 */
export async function merge(desk: Desk, work: Work, at: OnForge | null): Promise<MergeEnd> {
  const { parts, claimed, signal } = desk.attempt
  const base = at?.pull.base.branch ?? desk.base
  signal.throwIfAborted()
  const boarding = await parts.store.boardTrain(claimed.lease, base)
  if (boarding !== 'aboard') throw waitsForTrain(boarding, base)
  try {
    const tip = await parts.publisher.resolve(claimed.task.repo, base)
    if (at === null && (await isMerged(desk, work, tip))) return await landed(desk, work, base)
    const moved = await rebaseOnto(desk, work, { sha: tip.sha, branch: base })
    if (moved !== null) return moved
    return at === null
      ? await fastForward(desk, work, base, tip.sha)
      : await mergeOnForge(desk, work, at, tip.sha)
  } finally {
    await parts.store.leaveTrain(claimed.lease, base)
  }
}

/** Not a wait for something outside: whoever goes on wakes the next. Looking by oneself is for when that one died. */
function waitsForTrain(boarding: 'taken' | 'behind', base: string): Parked {
  return boarding === 'taken'
    ? new Parked({ hold: 'train', reason: `waits for another merge into ${base}`, delayMs: 30_000 })
    : new Parked({
        hold: 'train',
        reason: `waits for earlier tasks of its plan to merge into ${base}`,
        delayMs: 5000,
      })
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
    throw new Parked({ hold: 'train', reason: `${base} has moved meanwhile`, delayMs: 500 })
  })
}

/** Whether the base has the very head that was meant to be merged. */
async function isMerged({ attempt, book }: Desk, work: Work, tip: Tip): Promise<boolean> {
  if (book.progress.merging?.headSha !== work.headSha) return false
  return attempt.parts.publisher.isOn(work, 'head', { ...tip })
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
