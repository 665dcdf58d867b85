import { LeaseLost } from '../../ports/lease.ts'
import type { Work } from '../../ports/publisher.ts'
import { Interruption, Parked } from '../attempt.ts'
import type { Desk } from '../desk.ts'
import { answered } from '../forge-answers.ts'
import type { OnForge } from './merge.ts'

/**
 * Looks whether what was merged is what was judged, and removes the branch. It is merged whatever comes of both: what
 * fails is told. Answers the merged SHA.
 */
export async function wrapUp(
  { attempt, book }: Desk,
  work: Work,
  { forge, pull }: OnForge,
  mergedSha: string,
): Promise<string> {
  const { publisher } = attempt.parts
  const { journal } = attempt
  const merged = { sha: mergedSha, branch: pull.base.branch }
  const same = await orWhy(() => publisher.hasTreeOf(work, merged))
  journal.note('merge', `${pull.url} was merged as ${mergedSha}; ${treeWords(same)}`, {
    mergedSha,
    sameTree: same,
  })
  const kept = await orWhy(removeBranch)
  if (kept !== null) journal.note('merge', `the branch ${pull.head.branch} is kept: ${kept}`)
  return mergedSha

  /** `null`: it is gone; else why it is kept. What a person pushed onto it since is not on the base. */
  async function removeBranch(): Promise<string | null> {
    const { branch } = pull.head
    const stands = await publisher.branchAt(work.repo, branch)
    if (stands === null) return null
    if (stands !== work.headSha) return 'somebody pushed onto it'
    const deleted = await answered(attempt, book, () => forge.deleteBranch(branch))
    return deleted ? null : 'the forge would not delete it'
  }
}

function treeWords(same: boolean | string): string {
  if (same === true) return 'its tree is the one that was judged'
  if (same === false)
    return 'its tree is another than the one that was judged: somebody pushed to the base in the same moment'
  return `its tree could not be compared with the one that was judged: ${same}`
}

/** What was asked for, or why it cannot be told; waiting for the forge and a lost lease go their way. */
async function orWhy<T>(ask: () => Promise<T>): Promise<T | string> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof Parked || error instanceof LeaseLost || error instanceof Interruption) throw error
    return error instanceof Error ? error.message : String(error)
  }
}
