import { z } from 'zod'
import { ForgeFailure } from '../ports/forge.ts'

/** GitHub refused a call, in words that the caller may know: never thrown out of this room. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  /** The message of the answer, then those of its errors. */
  readonly messages: readonly string[]
  /** Field and code of the errors that name one, e.g. `head: invalid`. */
  readonly fields: readonly string[]

  constructor(status: number, data: unknown) {
    const { messages, fields } = wordsOf(data)
    super(messages.join('; ') === '' ? `GitHub answered ${status}` : messages.join('; '))
    this.status = status
    this.messages = messages
    this.fields = fields
  }

  says(pattern: RegExp): boolean {
    return this.messages.some((message) => pattern.test(message))
  }
}

/** What Octokit throws where there was an answer. Its message is not looked at: it adds to GitHub's own words. */
const answeredError = z.object({
  response: z.object({
    status: z.int(),
    headers: z.record(z.string(), z.union([z.string(), z.number()]).optional()),
    data: z.unknown(),
  }),
})

/** What GitHub documents as the least to wait where it does not say how long. */
const leastWaitMs = 60_000
const longestWaitMs = 3_600_000

/**
 * What a failed call means: a {@link ForgeFailure}, or a {@link Refusal} that the caller has to read. `hits`: how many
 * calls in a row were told to slow down before this one.
 */
export function failureOf(error: unknown, hits: number): ForgeFailure | Refusal {
  if (error instanceof ForgeFailure || error instanceof Refusal) return error
  const facts = { cause: error }
  const answered = answeredError.safeParse(error)
  if (!answered.success) {
    const message = error instanceof Error ? error.message : String(error)
    return new ForgeFailure('unreachable', `GitHub did not answer: ${message}`, facts)
  }
  const { status, headers, data } = answered.data.response
  const refusal = new Refusal(status, data)
  const waitMs = rateLimit(status, headers, refusal, hits)
  if (waitMs !== null) {
    return new ForgeFailure('rate_limited', `GitHub asks for fewer calls: ${refusal.message}`, {
      ...facts,
      retryAfterMs: waitMs,
    })
  }
  if (status === 401) return new ForgeFailure('credentials_refused', refusal.message, facts)
  if (status === 403 && refusal.says(/\barchived\b/i)) {
    return new ForgeFailure('archived', refusal.message, facts)
  }
  if (status === 403 || status === 451) return new ForgeFailure('forbidden', refusal.message, facts)
  if (status === 404 || status === 410) return new ForgeFailure('not_found', refusal.message, facts)
  if (status === 501) return new ForgeFailure('not_offered', refusal.message, facts)
  if (status >= 500 || status === 408 || status === 425) {
    return new ForgeFailure(
      'unreachable',
      `GitHub has a fault of its own (${status}): ${refusal.message}`,
      facts,
    )
  }
  return refusal
}

/**
 * Milliseconds to wait, or `null` where this is no rate limit. `retry-after` counts first; then the reset time, where
 * nothing remains, by GitHub's own clock; else a minute, longer each time. The header can be missing.
 */
function rateLimit(
  status: number,
  headers: Readonly<Record<string, string | number | undefined>>,
  refusal: Refusal,
  hits: number,
): number | null {
  if (status !== 403 && status !== 429) return null
  const remaining = headers['x-ratelimit-remaining']
  const exhausted = remaining !== undefined && String(remaining) === '0'
  const after = Number(headers['retry-after'] ?? Number.NaN)
  const told = refusal.says(/rate limit|abuse detection/i)
  if (status === 403 && !exhausted && !told && Number.isNaN(after)) return null
  if (!Number.isNaN(after)) return bounded(after * 1000)
  const reset = Number(headers['x-ratelimit-reset'] ?? Number.NaN)
  if (exhausted && !Number.isNaN(reset)) {
    const now = Date.parse(String(headers['date'] ?? ''))
    return bounded(reset * 1000 - (Number.isNaN(now) ? Date.now() : now) + 1000)
  }
  return bounded(leastWaitMs * 2 ** Math.min(hits, 6))
}

function bounded(ms: number): number {
  return Math.min(Math.max(ms, 1000), longestWaitMs)
}

/** Errors are objects with a message, objects with field and code, or plain strings. */
function wordsOf(data: unknown): { messages: string[]; fields: string[] } {
  if (typeof data !== 'object' || data === null) {
    return { messages: typeof data === 'string' && data !== '' ? [data.slice(0, 500)] : [], fields: [] }
  }
  const messages: string[] = []
  const fields: string[] = []
  if ('message' in data && typeof data.message === 'string') messages.push(data.message)
  const errors: unknown[] = 'errors' in data && Array.isArray(data.errors) ? data.errors : []
  for (const error of errors) {
    if (typeof error === 'string') messages.push(error)
    if (typeof error !== 'object' || error === null) continue
    if ('message' in error && typeof error.message === 'string') messages.push(error.message)
    if ('field' in error && 'code' in error) fields.push(`${String(error.field)}: ${String(error.code)}`)
  }
  return { messages, fields }
}
