import { ForgeFailure, type ForgeChecks, type ForgeRepository } from '../../ports/forge.ts'
import type { Work } from '../../ports/publisher.ts'
import type { Book } from '../book.ts'
import type { Desk } from '../desk.ts'
import { answered } from '../forge-answers.ts'
import { leftToPeople } from '../left-to-people.ts'
import { Stop } from '../reasons.ts'
import { park } from '../waiting.ts'

/**
 * The forge's own checks on this very head: `null`, all that were reported have passed; or why nobody here can tell,
 * and merging is left to people.
 */
export async function checksPassed(
  { attempt, book }: Desk,
  work: Work,
  forge: ForgeRepository,
): Promise<string | null> {
  const checks = await answered(attempt, book, () => checksOrWhy(forge, work.headSha))
  if (typeof checks === 'string') return leftToPeople.checksHidden(checks)
  const { pending, failed, passed } = checks
  if (failed.length > 0) {
    throw new Stop({ kind: 'forge_checks_failed', failed, url: book.progress.pullRequest?.url ?? '' })
  }
  if (pending.length > 0) return waitForChecks(book, pending, work.headSha)
  if (passed.length > 0 || !(await expectsChecks(work)) || isOld(book.progress.pushed?.confirmedAt))
    return null
  return park(book, { for: 'checks', hold: 'forge', reason: 'waits for the first check to be reported' })
}

/** A token can be good for all but checks: then nobody here knows whether they have passed. */
async function checksOrWhy(forge: ForgeRepository, sha: string): Promise<ForgeChecks | string> {
  try {
    return await forge.checks(sha)
  } catch (error) {
    if (error instanceof ForgeFailure && error.fault === 'forbidden') return error.message
    throw error
  }
}

export function waitForChecks(book: Book, pending: readonly string[], sha: string): Promise<never> {
  const names = pending.slice(0, 5).join(', ')
  return park(book, { for: 'checks', hold: 'forge', reason: `waits for checks: ${names}`, checksOf: sha })
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
