import type { Attempt } from '../attempt.ts'
import type { Book } from '../book.ts'
import { answered } from '../forge-answers.ts'
import { Stop } from '../reasons.ts'
import { WaitedTooLong } from '../waiting.ts'
import { waitForChecks } from './forge-checks.ts'
import { hearPeople } from './people.ts'

/**
 * A task that waits for checks of the forge looks at those first: while they run and nobody did anything to its pull
 * request, it is parked again before anything is fetched or opened for it. Comes back where there is more to do.
 */
export async function lookFirst(attempt: Attempt, book: Book): Promise<void> {
  const { parts, claimed, signal } = attempt
  const { waiting, pullRequest } = book.progress
  const sha = waiting?.checksOf ?? null
  const forge = parts.forge?.repository(claimed.task.repo) ?? null
  if (sha === null || pullRequest === null || forge === null) return
  signal.throwIfAborted()
  const pending = await answered(attempt, book, async () => {
    const pull = await forge.pullRequest(pullRequest.number)
    if (pull.state !== 'open' || pull.head.sha !== sha || pull.mergeable === false) return []
    if ((await hearPeople(attempt, forge, book, pull, sha)).asking.length > 0) return []
    const checks = await forge.checks(sha)
    return checks.failed.length > 0 ? [] : checks.pending
  }).catch((error: unknown) => {
    // The whole way says it, too, and beside it what is known of the work.
    if (error instanceof Stop) return []
    throw error
  })
  if (pending.length === 0) return
  try {
    await waitForChecks(book, pending, sha)
  } catch (error) {
    // Then it is left to people, with all that is known of it.
    if (!(error instanceof WaitedTooLong)) throw error
  }
}
