import { ForgeFailure } from '../ports/forge.ts'
import type { Attempt } from './attempt.ts'
import type { Book } from './book.ts'
import { Stop } from './reasons.ts'
import { park } from './waiting.ts'

/**
 * Asks the forge. What keeps it from answering and may pass parks the task, which takes no slot meanwhile; what only a
 * person can mend ends it.
 */
export async function answered<T>(attempt: Attempt, book: Book, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof ForgeFailure)) throw error
    const { repo } = attempt.claimed.task
    switch (error.fault) {
      case 'rate_limited':
        return park(book, {
          for: 'answer',
          hold: 'forge',
          reason: `waits for the forge, which takes no more calls for now: ${error.message}`,
          ...(error.retryAfterMs === null ? {} : { delayMs: error.retryAfterMs }),
        })
      case 'unreachable':
        return park(book, {
          for: 'answer',
          hold: 'forge',
          reason: `waits for the forge: ${error.message}`,
        })
      case 'credentials_refused':
      case 'forbidden':
      case 'not_found':
      case 'not_offered':
      case 'archived':
        throw new Stop({ kind: 'forge', fault: error.fault, repo, message: error.message })
      case 'unexpected':
        throw error
      default:
        throw error.fault satisfies never
    }
  }
}
