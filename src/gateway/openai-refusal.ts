import { count, object, text } from './json.ts'
import type { Refusal, RefusedAnswer } from './provider.ts'
import { longest, parseWait, retryAfter, until, waitInWords } from './waits.ts'

/**
 * OpenAI's refusals: platform.openai.com/docs/guides/error-codes and …/rate-limits; plans of ChatGPT answer with
 * `usage_limit_reached` and the time of its end, in seconds.
 */
export function openaiRefusal({ status, headers, body }: RefusedAnswer): Refusal | null {
  const error = object(object(body)['error'])
  const message = text(error['message'])
  const codes = new Set([text(error['code']), text(error['type'])])
  const is = (code: string) => codes.has(code)
  // A model that this project may not use is a wrong name, and no wrong login.
  if (is('model_not_found')) return null
  if (status === 401 || status === 403) return { kind: 'login', message }
  if (is('insufficient_quota') || is('billing_hard_limit_reached') || status === 402) {
    return { kind: 'limit', message, delayMs: null, lasting: true }
  }
  if (is('usage_limit_reached') || is('usage_not_included')) {
    const seconds = count(error['resets_in_seconds'])
    const delayMs = seconds > 0 ? seconds * 1000 : until(count(error['resets_at']) * 1000, headers)
    return { kind: 'limit', message, delayMs, lasting: true }
  }
  if (status === 429) {
    const delayMs = retryAfter(headers) ?? waitInWords(message) ?? resetOfWhatIsUsedUp(headers)
    return { kind: 'limit', message, delayMs, lasting: false }
  }
  if (status === 503 || status === 529) return { kind: 'busy', message, delayMs: retryAfter(headers) }
  return null
}

function resetOfWhatIsUsedUp(headers: RefusedAnswer['headers']): number | null {
  const resets = ['requests', 'tokens'].map((what) =>
    headers[`x-ratelimit-remaining-${what}`] === '0'
      ? parseWait(headers[`x-ratelimit-reset-${what}`] ?? '')
      : null,
  )
  return longest(resets)
}
