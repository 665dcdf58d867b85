import { object, text } from './json.ts'
import type { Refusal, RefusedAnswer } from './provider.ts'
import { longest, retryAfter, until } from './waits.ts'

/**
 * Anthropic's refusals: docs.anthropic.com/en/api/errors and …/rate-limits. Subscriptions tell their limits in headers
 * that begin with `anthropic-ratelimit-unified`, and older ones in words: `usage limit reached|EPOCH SECONDS`.
 */
export function anthropicRefusal({ status, headers, body }: RefusedAnswer): Refusal | null {
  const error = object(object(body)['error'])
  const message = text(error['message'])
  const type = text(error['type'])
  if (status === 401 || status === 403 || type === 'authentication_error' || type === 'permission_error') {
    return { kind: 'login', message }
  }
  // Told of a token that only Claude Code may use.
  if (status === 400 && /only authorized for use with Claude Code|OAuth authentication/i.test(message)) {
    return { kind: 'login', message }
  }
  if (status === 400 && /credit balance is too low/i.test(message)) {
    return { kind: 'limit', message, delayMs: null, lasting: true }
  }
  if (status === 402) return { kind: 'limit', message, delayMs: null, lasting: true }
  if (status === 429) return limit(headers, message)
  if (status === 529 || status === 503) return { kind: 'busy', message, delayMs: retryAfter(headers) }
  return null
}

function limit(headers: RefusedAnswer['headers'], message: string): Refusal {
  const inWords = /usage limit reached\|(\d{9,11})/.exec(message)?.[1]
  if (inWords !== undefined) {
    return { kind: 'limit', message, delayMs: until(Number(inWords) * 1000, headers), lasting: true }
  }
  if (headers['anthropic-ratelimit-unified-status'] === 'rejected') {
    const reset = Number(headers['anthropic-ratelimit-unified-reset']) * 1000
    return { kind: 'limit', message, delayMs: until(reset, headers) ?? retryAfter(headers), lasting: true }
  }
  return {
    kind: 'limit',
    message,
    delayMs: retryAfter(headers) ?? resetOfWhatIsUsedUp(headers),
    lasting: false,
  }
}

function resetOfWhatIsUsedUp(headers: RefusedAnswer['headers']): number | null {
  const resets = ['requests', 'tokens', 'input-tokens', 'output-tokens'].map((what) =>
    headers[`anthropic-ratelimit-${what}-remaining`] === '0'
      ? until(Date.parse(headers[`anthropic-ratelimit-${what}-reset`] ?? ''), headers)
      : null,
  )
  return longest(resets)
}
