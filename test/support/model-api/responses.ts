import { argumentsText, event, list, newId, object, text, type Dialect, type Json } from './dialect.ts'
import type { Tool, ToolCall, Tokens, Turn } from './scene.ts'

/** OpenAI Responses, https://platform.openai.com/docs/api-reference/responses and …/responses-streaming. */
export const responses: Dialect = {
  turn(body) {
    const said: string[] = []
    let results: string[] = []
    const input =
      typeof body['input'] === 'string' ? [{ role: 'user', content: body['input'] }] : list(body['input'])
    for (const entry of input.map(object)) {
      if (text(entry['type']).endsWith('_output')) results.push(textOf(entry['output']))
      else if (entry['role'] === 'user') {
        said.push(textOf(entry['content']))
        results = []
      }
    }
    return {
      protocol: 'responses',
      model: text(body['model']),
      stream: body['stream'] === true,
      said,
      results,
      tools: list(body['tools'])
        .map(object)
        .filter(({ type }) => type === 'function' || type === 'custom')
        .map(toolOf),
      wantsJson: text(object(object(body['text'])['format'])['type']).startsWith('json'),
      text: JSON.stringify(body),
    }
  },

  whole(turn, { text: words, calls }, tokens) {
    const output = [
      ...(words === '' ? [] : [message(newId('msg'), words)]),
      ...calls.map((call) => item(turn, call)),
    ]
    return response(turn, newId('resp'), 'completed', output, tokens)
  },

  stream(turn, tokens) {
    const id = newId('resp')
    const output: Json[] = []
    let sequence = 0
    const send = (type: string, more: Json) => event({ type, sequence_number: sequence++, ...more }, type)
    let speaking: { id: string; text: string } | null = null
    const endText = () => {
      if (speaking === null) return ''
      const place = { item_id: speaking.id, output_index: output.length, content_index: 0 }
      const done = message(speaking.id, speaking.text)
      const part = { type: 'output_text', text: speaking.text, annotations: [] }
      const frames =
        send('response.output_text.done', { ...place, text: speaking.text }) +
        send('response.content_part.done', { ...place, part }) +
        send('response.output_item.done', { output_index: output.length, item: done })
      output.push(done)
      speaking = null
      return frames
    }
    return {
      open: () =>
        send('response.created', { response: response(turn, id, 'in_progress', [], null) }) +
        send('response.in_progress', { response: response(turn, id, 'in_progress', [], null) }),
      words(piece) {
        let start = ''
        if (speaking === null) {
          speaking = { id: newId('msg'), text: '' }
          const begun = { ...message(speaking.id, ''), status: 'in_progress', content: [] }
          const place = { item_id: speaking.id, output_index: output.length, content_index: 0 }
          start =
            send('response.output_item.added', { output_index: output.length, item: begun }) +
            send('response.content_part.added', {
              ...place,
              part: { type: 'output_text', text: '', annotations: [] },
            })
        }
        speaking.text += piece
        const place = { item_id: speaking.id, output_index: output.length, content_index: 0 }
        return start + send('response.output_text.delta', { ...place, delta: piece })
      },
      calls(calls) {
        return (
          endText() +
          calls
            .map((call) => {
              const done = item(turn, call)
              const output_index = output.length
              const custom = done['type'] === 'custom_tool_call'
              const kind = custom ? 'response.custom_tool_call_input' : 'response.function_call_arguments'
              const empty = {
                ...done,
                status: 'in_progress',
                ...(custom ? { input: '' } : { arguments: '' }),
              }
              output.push(done)
              return (
                send('response.output_item.added', { output_index, item: empty }) +
                send(`${kind}.delta`, { item_id: done['id'], output_index, delta: argumentsText(call) }) +
                send(`${kind}.done`, {
                  item_id: done['id'],
                  output_index,
                  [custom ? 'input' : 'arguments']: argumentsText(call),
                }) +
                send('response.output_item.done', { output_index, item: done })
              )
            })
            .join('')
        )
      },
      close: () =>
        endText() + send('response.completed', { response: response(turn, id, 'completed', output, tokens) }),
    }
  },
}

function response(
  turn: Turn,
  id: string,
  status: string,
  output: readonly Json[],
  tokens: Tokens | null,
): Json {
  return {
    id,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status,
    error: null,
    incomplete_details: null,
    model: turn.model,
    output,
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    usage: tokens === null ? null : usage(tokens),
  }
}

function usage(tokens: Tokens): Json {
  const input = tokens.input + tokens.cacheRead + tokens.cacheWrite
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: tokens.cacheRead },
    output_tokens: tokens.output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + tokens.output,
  }
}

function message(id: string, words: string): Json {
  const content = [{ type: 'output_text', text: words, annotations: [] }]
  return { id, type: 'message', status: 'completed', role: 'assistant', content }
}

function item(turn: Turn, call: ToolCall): Json {
  const freeform = turn.tools.find(({ name }) => name === call.name)?.freeform === true
  const common = { call_id: newId('call'), name: call.name, status: 'completed' }
  if (freeform) return { id: newId('ctc'), type: 'custom_tool_call', ...common, input: argumentsText(call) }
  return { id: newId('fc'), type: 'function_call', ...common, arguments: argumentsText(call) }
}

function toolOf(tool: Json): Tool {
  const properties = object(object(tool['parameters'])['properties'])
  return {
    name: text(tool['name']),
    freeform: tool['type'] === 'custom',
    properties: properties as Tool['properties'],
  }
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return list(content)
    .map((part) => text(object(part)['text']))
    .join('\n')
}
