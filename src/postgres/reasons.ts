import type { Outcome } from '../model/outcome.ts'

const maxNamed = 3

/** Why tasks wait, or were ended by the store itself. */
export const reasons = {
  paused: 'the queue is paused',
  windowClosed: 'the window of its night has closed: nothing new starts',
  runGone: 'the run it belonged to is gone',

  needs(ids: readonly string[]): string {
    const named = ids.slice(0, maxNamed).join(', ')
    const more = ids.length > maxNamed ? ` and ${ids.length - maxNamed} more` : ''
    return ids.length === 1 ? `waits for task ${named}` : `waits for tasks ${named}${more}`
  },
  batch(id: string): string {
    return `waits for the end of batch ${id}`
  },
  overlap(id: string): string {
    return `waits for task ${id}, which works on the same paths`
  },
  /** `root`: the task at the beginning of the chain, where the need itself was skipped. */
  skipped(need: { id: string; outcome: Outcome }, root: { id: string; outcome: Outcome } | null): string {
    const because =
      root === null || root.id === need.id ? '' : `, because task ${root.id} ended ${root.outcome}`
    return `it needs task ${need.id}, which ended ${need.outcome}${because}`
  },
  workerGone(attempt: number): string {
    return `the worker of attempt ${attempt} stopped answering`
  },
  retry(reason: string, delayMs: number): string {
    return delayMs === 0 ? `tried again: ${reason}` : `tried again in ${delayMs / 1000} s: ${reason}`
  },
  givenUp(reason: string, crashes: number): string {
    return `${reason}; given up after ${crashes} ${crashes === 1 ? 'retry' : 'retries'}`
  },
} as const
