import { list, object, text, type Json } from './json.ts'
import type { Refusal, RefusedAnswer } from './provider.ts'
import { longest, parseWait, retryAfter, untilMidnight, waitInWords } from './waits.ts'

/** Limits of a day end at midnight there: ai.google.dev/gemini-api/docs/rate-limits. */
const timeZone = 'America/Los_Angeles'
/** A day's limit that is said to end sooner is not the one that is meant. */
const shortMs = 60_000

/** Google's refusals: an RPC status with details, see google.rpc.RetryInfo, QuotaFailure and ErrorInfo. */
export function geminiRefusal({ status, headers, body }: RefusedAnswer): Refusal | null {
  // Streams that are no events answer with a list.
  const error = object(object(Array.isArray(body) ? body[0] : body)['error'])
  const message = text(error['message'])
  const details = list(error['details']).map(object)
  const invalidKey = details.some(({ reason }) => reason === 'API_KEY_INVALID')
  if (status === 401 || status === 403 || invalidKey || (status === 400 && /API key/i.test(message))) {
    return { kind: 'login', message }
  }
  if (status === 429) return limit(details, message, headers)
  if (status === 503 || status === 529) return { kind: 'busy', message, delayMs: retryAfter(headers) }
  return null
}

function limit(details: readonly Json[], message: string, headers: RefusedAnswer['headers']): Refusal {
  const of = (type: string) => details.filter((detail) => text(detail['@type']).endsWith(type))
  const told = longest(of('google.rpc.RetryInfo').map((each) => parseWait(text(each['retryDelay']))))
  const delayMs = told ?? waitInWords(message) ?? retryAfter(headers)
  const quotas = of('google.rpc.QuotaFailure').flatMap(({ violations }) => list(violations).map(object))
  const daily = quotas.some(({ quotaId }) => /PerDay/i.test(text(quotaId)))
  if (!daily) return { kind: 'limit', message, delayMs, lasting: false }
  const long = delayMs !== null && delayMs > shortMs ? delayMs : untilMidnight(timeZone)
  return { kind: 'limit', message, delayMs: long, lasting: true }
}
