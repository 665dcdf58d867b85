import type { Work } from '../ports/publisher.ts'
import type { CloneSource } from '../ports/runtime.ts'
import type { Attempt } from './attempt.ts'
import type { Book } from './book.ts'
import type { RepositoryRules } from './steps/repository-file.ts'
import type { Workshop } from './steps/workshop.ts'

/** What the way of judged work to its end needs. */
export interface Desk {
  readonly attempt: Attempt
  readonly book: Book
  /** The commit that the work builds on, and its rules; the merge train moves both. */
  readonly source: CloneSource
  readonly rules: RepositoryRules
  /** The branch that the work is for. */
  readonly base: string
  /** Where that stood when the task was first looked at. */
  readonly pinnedSha: string
  /** Where the agent goes on, if it has to. */
  readonly workshop: Workshop
  /** Heads that this attempt has pushed. */
  readonly heads: Set<string>
  /** Every workshop that was opened on the way: closed at its end. */
  readonly shops: Workshop[]
}

/** Tells what a head builds on, where that is not the pinned base. */
export async function keepBase({ book, source, pinnedSha }: Desk, headSha: string): Promise<void> {
  if (source.sha === pinnedSha) return
  await book.write({ bases: { ...book.progress.bases, [headSha]: source.sha } })
}

/** The gate let this head through, and need not look at it again. */
export async function keepJudged(desk: Desk, work: Work): Promise<void> {
  const { policy, checks } = desk.attempt.evidence
  await keepBase(desk, work.headSha)
  await desk.book.write({ judged: { headSha: work.headSha, policy, checks } })
}
