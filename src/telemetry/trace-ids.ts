import { createHash } from 'node:crypto'
import type { IdGenerator } from '@opentelemetry/sdk-trace-base'
import { RandomIdGenerator } from '@opentelemetry/sdk-trace-base'

/** The trace of a task and its first span, the same in every process: both are told by the task's id alone. */
export function idsOf(taskId: string): { traceId: string; spanId: string } {
  const hash = createHash('sha256').update(taskId).digest('hex')
  return { traceId: hash.slice(0, 32), spanId: hash.slice(32, 48) }
}

/** Random ids, but for the one span that is told its own. */
export class TaskIds implements IdGenerator {
  readonly #random = new RandomIdGenerator()
  #next: { traceId: string; spanId: string } | null = null

  /** The span that `start` starts, and no other, gets these ids. */
  using<T>(ids: { traceId: string; spanId: string }, start: () => T): T {
    this.#next = ids
    try {
      return start()
    } finally {
      this.#next = null
    }
  }

  readonly generateTraceId = (): string => this.#next?.traceId ?? this.#random.generateTraceId()
  readonly generateSpanId = (): string => this.#next?.spanId ?? this.#random.generateSpanId()
}
