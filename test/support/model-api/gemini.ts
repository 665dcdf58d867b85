import { event, list, object, text, type Dialect, type Json } from './dialect.ts'
import type { Tool, ToolCall, Tokens, Turn } from './scene.ts'

/** Gemini, https://ai.google.dev/api/generate-content. */
export const gemini: Dialect = {
  turn(body, path) {
    const said: string[] = []
    let results: string[] = []
    for (const content of list(body['contents']).map(object)) {
      if (content['role'] === 'model') continue
      const parts = list(content['parts']).map(object)
      const answers = parts.filter((each) => 'functionResponse' in each)
      if (answers.length > 0) {
        results.push(...answers.map((each) => JSON.stringify(object(each['functionResponse'])['response'])))
        continue
      }
      said.push(parts.map((each) => text(each['text'])).join('\n'))
      results = []
    }
    const config = object(body['generationConfig'])
    return {
      protocol: 'gemini',
      model: /\/models\/([^/:?]+):/.exec(path)?.[1] ?? '',
      stream: path.includes(':streamGenerateContent'),
      said,
      results,
      tools: list(body['tools']).flatMap((tool) =>
        list(object(tool)['functionDeclarations']).map((each) => toolOf(object(each))),
      ),
      wantsJson: text(config['responseMimeType']) === 'application/json',
      text: JSON.stringify(body),
    }
  },

  whole(turn, { text: words, calls }, tokens) {
    return answer(turn, [...(words === '' ? [] : [{ text: words }]), ...calls.map(part)], 'STOP', tokens)
  },

  stream(turn, tokens) {
    let called: readonly ToolCall[] = []
    return {
      open: () => '',
      words: (piece) => event(answer(turn, [{ text: piece }], null, null)),
      calls(calls) {
        called = calls
        return ''
      },
      close: () => event(answer(turn, called.map(part), 'STOP', tokens)),
    }
  },
}

function answer(
  turn: Turn,
  parts: readonly Json[],
  finishReason: string | null,
  tokens: Tokens | null,
): Json {
  const content = { role: 'model', ...(parts.length === 0 ? {} : { parts }) }
  return {
    candidates: [{ content, index: 0, ...(finishReason === null ? {} : { finishReason }) }],
    ...(tokens === null ? {} : { usageMetadata: usage(tokens) }),
    modelVersion: turn.model,
    responseId: 'stand-in',
  }
}

function usage(tokens: Tokens): Json {
  const prompt = tokens.input + tokens.cacheRead + tokens.cacheWrite
  return {
    promptTokenCount: prompt,
    cachedContentTokenCount: tokens.cacheRead,
    candidatesTokenCount: tokens.output,
    totalTokenCount: prompt + tokens.output,
  }
}

function part(call: ToolCall): Json {
  return { functionCall: { name: call.name, args: call.arguments } }
}

function toolOf(tool: Json): Tool {
  const schema = object(tool['parametersJsonSchema'] ?? tool['parameters'])
  const properties = object(schema['properties']) as Record<string, { type?: unknown }>
  return { name: text(tool['name']), freeform: false, properties }
}
