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
  const gone = await orWhy(() => answered(attempt, book, () => forge.deleteBranch(pull.head.branch)))
  if (gone !== true) {
    const why = gone === false ? '' : `: ${gone}`
    journal.note('merge', `the forge keeps the branch ${pull.head.branch}${why}`)
  }
  return mergedSha
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
