import { count, isObject, list, object, text, type Json } from './json.ts'
import type { AnswerReader, RefusedAnswer } from './provider.ts'
import { noTokens } from './tokens.ts'

/** Reads answers of Responses and of Chat Completions, which differ in the names of their numbers. */
export function openaiReader(): AnswerReader {
  let usage: Json | null = null
  let model: string | null = null
  let refused: RefusedAnswer | null = null
  let ended = false
  let said = 0
  return {
    read(json) {
      const event = object(json)
      const type = text(event['type'])
      said += text(event['delta']).length
      for (const choice of list(event['choices'])) said += deltaLength(object(choice)['delta'])
      const answer = isObject(event['response']) ? event['response'] : event
      if (isObject(answer['usage'])) usage = answer['usage']
      if (text(answer['model']) !== '') model = text(answer['model'])
      // Chat's last event but one, the whole of either, and the last of Responses.
      if (isObject(answer['usage']) || /^response\.(?:completed|incomplete|failed)$/.test(type)) ended = true
      if (type === 'response.failed' || type === 'error') {
        const error = object(answer['error'] ?? event['error'] ?? event)
        refused = { status: statusOf(text(error['code'])), headers: {}, body: { error } }
      }
    },
    tokens() {
      if (usage === null) return null
      const details = object(usage['input_tokens_details'] ?? usage['prompt_tokens_details'])
      const cacheRead = count(details['cached_tokens'])
      const cacheWrite = count(details['cache_write_tokens'])
      const all = count(usage['input_tokens']) || count(usage['prompt_tokens'])
      return {
        ...noTokens,
        input: Math.max(0, all - cacheRead - cacheWrite),
        cacheRead,
        cacheWrite,
        output: count(usage['output_tokens']) || count(usage['completion_tokens']),
      }
    },
    model: () => model,
    said: () => said,
    refusal: () => refused,
    ended: () => ended,
  }
}

/** The status that the same refusal has where it comes before the answer. */
function statusOf(code: string): number {
  if (code === 'rate_limit_exceeded' || code === 'insufficient_quota') return 429
  return code === 'server_is_overloaded' || code === 'slow_down' ? 503 : 500
}

function deltaLength(delta: unknown): number {
  const { content, reasoning_content: thoughts, tool_calls: calls } = object(delta)
  const called = list(calls).map((call) => text(object(object(call)['function'])['arguments']))
  return [text(content), text(thoughts), ...called].join('').length
}
