import { noProgress, type Progress } from '../model/progress.ts'
import type { Lease } from '../ports/lease.ts'
import type { PipelineParts } from './attempt.ts'
import { persist } from './persist.ts'

/** What is known across attempts of how far a task has come. */
export interface Book {
  readonly progress: Progress
  /** Changes some of it; in the database before it resolves. */
  write(change: Partial<Progress>): Promise<void>
}

/** Opens the book of a task; a first attempt has nothing behind it. */
export async function openBook(
  parts: Pick<PipelineParts, 'store' | 'clock' | 'isTransient'>,
  lease: Lease,
): Promise<Book> {
  let progress = lease.attempt === 1 ? noProgress : await persist(parts, () => parts.store.progress(lease))
  return {
    get progress() {
      return progress
    },
    async write(change) {
      const next = { ...progress, ...change }
      await persist(parts, () => parts.store.saveProgress(lease, next))
      progress = next
    },
  }
}
