import { argumentsText, event, list, newId, object, text, type Dialect, type Json } from './dialect.ts'
import type { Tool, ToolCall, Tokens, Turn } from './scene.ts'

/** Anthropic Messages, https://docs.anthropic.com/en/api/messages and …/messages-streaming. */
export const anthropic: Dialect = {
  turn(body) {
    const said: string[] = []
    let results: string[] = []
    for (const entry of list(body['messages']).map(object)) {
      if (entry['role'] !== 'user') continue
      const blocks =
        typeof entry['content'] === 'string'
          ? [{ type: 'text', text: entry['content'] }]
          : list(entry['content']).map(object)
      const answers = blocks.filter((block) => block['type'] === 'tool_result')
      if (answers.length > 0) {
        // Reminders of the command line's own stand beside the results.
        results.push(...answers.map((block) => contentText(block['content'])))
        continue
      }
      said.push(blocks.map((block) => text(object(block)['text'])).join('\n'))
      results = []
    }
    return {
      protocol: 'anthropic',
      model: text(body['model']),
      stream: body['stream'] === true,
      said,
      results,
      tools: list(body['tools'])
        .map(object)
        .filter((tool) => 'input_schema' in tool)
        .map(toolOf),
      wantsJson: 'output_config' in body || 'output_format' in body,
      text: JSON.stringify(body),
    }
  },

  whole(turn, { text: words, calls }, tokens) {
    return {
      ...message(turn, tokens),
      content: [...(words === '' ? [] : [{ type: 'text', text: words }]), ...calls.map(toolUse)],
      stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
      usage: usage(tokens, tokens.output),
    }
  },

  stream(turn, tokens) {
    let index = -1
    let inText = false
    let called = false
    const begin = (block: unknown) => {
      index += 1
      return event({ type: 'content_block_start', index, content_block: block }, 'content_block_start')
    }
    const delta = (part: unknown) =>
      event({ type: 'content_block_delta', index, delta: part }, 'content_block_delta')
    const end = () => event({ type: 'content_block_stop', index }, 'content_block_stop')
    const endText = () => {
      const ending = inText ? end() : ''
      inText = false
      return ending
    }
    return {
      open: () =>
        event({ type: 'message_start', message: message(turn, tokens) }, 'message_start') +
        event({ type: 'ping' }, 'ping'),
      words(piece) {
        const start = inText ? '' : begin({ type: 'text', text: '' })
        inText = true
        return start + delta({ type: 'text_delta', text: piece })
      },
      calls(calls) {
        called = calls.length > 0
        const frames = calls.map(
          (call) =>
            begin({ ...toolUse(call), input: {} }) +
            delta({ type: 'input_json_delta', partial_json: argumentsText(call) }) +
            end(),
        )
        return endText() + frames.join('')
      },
      close: () =>
        endText() +
        event(
          {
            type: 'message_delta',
            delta: { stop_reason: called ? 'tool_use' : 'end_turn', stop_sequence: null },
            usage: usage(tokens, tokens.output),
          },
          'message_delta',
        ) +
        event({ type: 'message_stop' }, 'message_stop'),
    }
  },
}

function message(turn: Turn, tokens: Tokens): Json {
  return {
    id: newId('msg'),
    type: 'message',
    role: 'assistant',
    model: turn.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: usage(tokens, 1),
  }
}

function usage(tokens: Tokens, output: number): Json {
  return {
    input_tokens: tokens.input,
    cache_creation_input_tokens: tokens.cacheWrite,
    cache_read_input_tokens: tokens.cacheRead,
    cache_creation: { ephemeral_5m_input_tokens: tokens.cacheWrite, ephemeral_1h_input_tokens: 0 },
    output_tokens: output,
    service_tier: 'standard',
  }
}

function toolUse(call: ToolCall): Json {
  return { type: 'tool_use', id: newId('toolu'), name: call.name, input: call.arguments }
}

function toolOf(tool: Json): Tool {
  const properties = object(object(tool['input_schema'])['properties'])
  return { name: text(tool['name']), freeform: false, properties: properties as Tool['properties'] }
}

function contentText(content: unknown): string {
  if (typeof content === 'string') return content
  return list(content)
    .map((part) => text(object(part)['text']))
    .join('\n')
}
