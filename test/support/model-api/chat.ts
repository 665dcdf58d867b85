import { argumentsText, event, list, newId, object, text, type Dialect, type Json } from './dialect.ts'
import type { Tool, ToolCall, Tokens, Turn } from './scene.ts'

/** OpenAI Chat Completions, https://platform.openai.com/docs/api-reference/chat and …/chat-streaming. */
export const chat: Dialect = {
  turn(body) {
    const said: string[] = []
    let results: string[] = []
    for (const message of list(body['messages']).map(object)) {
      if (message['role'] === 'tool') results.push(textOf(message['content']))
      else if (message['role'] === 'user') {
        said.push(textOf(message['content']))
        results = []
      }
    }
    return {
      protocol: 'chat',
      model: text(body['model']),
      stream: body['stream'] === true,
      said,
      results,
      tools: list(body['tools']).map((tool) => toolOf(object(object(tool)['function']))),
      wantsJson: text(object(body['response_format'])['type']).startsWith('json'),
      text: JSON.stringify(body),
    }
  },

  whole(turn, { text: words, calls }, tokens) {
    const message = {
      role: 'assistant',
      content: words === '' ? null : words,
      ...(calls.length === 0 ? {} : { tool_calls: calls.map(toolCall) }),
    }
    const finish_reason = calls.length > 0 ? 'tool_calls' : 'stop'
    return {
      ...head(turn, newId('chatcmpl'), 'chat.completion'),
      choices: [{ index: 0, message, finish_reason }],
      usage: usage(tokens),
    }
  },

  stream(turn, tokens) {
    const common = head(turn, newId('chatcmpl'), 'chat.completion.chunk')
    const wantsUsage = turn.text.includes('"include_usage":true')
    let finish = 'stop'
    const send = (delta: Json, finish_reason: string | null = null) =>
      event({ ...common, choices: [{ index: 0, delta, finish_reason }] })
    return {
      open: () => send({ role: 'assistant', content: '' }),
      words: (piece) => send({ content: piece }),
      calls(calls) {
        if (calls.length > 0) finish = 'tool_calls'
        return calls.map((call, index) => send({ tool_calls: [{ index, ...toolCall(call) }] })).join('')
      },
      close: () =>
        send({}, finish) +
        (wantsUsage ? event({ ...common, choices: [], usage: usage(tokens) }) : '') +
        'data: [DONE]\n\n',
    }
  },
}

function head(turn: Turn, id: string, kind: string): Json {
  return { id, object: kind, created: Math.floor(Date.now() / 1000), model: turn.model }
}

function usage(tokens: Tokens): Json {
  const prompt = tokens.input + tokens.cacheRead + tokens.cacheWrite
  return {
    prompt_tokens: prompt,
    completion_tokens: tokens.output,
    total_tokens: prompt + tokens.output,
    prompt_tokens_details: { cached_tokens: tokens.cacheRead },
    completion_tokens_details: { reasoning_tokens: 0 },
  }
}

function toolCall(call: ToolCall): Json {
  return {
    id: newId('call'),
    type: 'function',
    function: { name: call.name, arguments: argumentsText(call) },
  }
}

function toolOf(tool: Json): Tool {
  const properties = object(object(tool['parameters'])['properties'])
  return { name: text(tool['name']), freeform: false, properties: properties as Tool['properties'] }
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return list(content)
    .map((part) => text(object(part)['text']))
    .join('\n')
}
