import { dropAddresses } from './addresses.ts'
import { geminiRefusal } from './gemini-refusal.ts'
import { count, isObject, list, object, text, type Json } from './json.ts'
import type { AnswerReader, Provider, RefusedAnswer, Route } from './provider.ts'
import { noTokens } from './tokens.ts'

/** Where a request does not say; no model says more. */
const mostOutputTokens = 65_536

/** Google's Gemini, by the Developer API. */
export const gemini: Provider = {
  name: 'gemini',

  route(method, path): Route | null {
    const [, start = '', verb, query = ''] =
      /^(\/v1(?:beta|alpha)?\/models\/[a-zA-Z0-9._-]+):([a-zA-Z]+)((?:\?[^#]*)?)$/.exec(path) ?? []
    if (method === 'POST' && verb !== undefined && Object.hasOwn(verbs, verb)) {
      // Of the parameters only the form of a stream; a key among them is the agent's.
      const form = /[?&]alt=sse(?:&|$)/.test(query) ? '?alt=sse' : ''
      return { kind: verbs[verb] ?? 'aside', path: `${start}:${verb}${form}` }
    }
    const lists = /^(\/v1(?:beta|alpha)?\/models(?:\/[a-zA-Z0-9._-]+)?)(?:\?[^#]*)?$/.exec(path)?.[1]
    return method === 'GET' && lists !== undefined ? { kind: 'aside', path: lists } : null
  },

  authorization: ({ kind, secret }) =>
    kind === 'bearer' ? ['authorization', `Bearer ${secret}`] : ['x-goog-api-key', secret],

  passedHeaders: ['x-goog-api-client'],

  prepare(body, path, { hostedTools }) {
    const stripped: string[] = []
    if (!hostedTools) {
      if (dropAddresses(body['contents'])) stripped.push('addresses')
      const tools = list(body['tools']).map((tool) => {
        const gone = Object.keys(object(tool)).filter((key) => !clientKeys.has(key))
        stripped.push(...gone)
        return Object.fromEntries(Object.entries(object(tool)).filter(([key]) => clientKeys.has(key)))
      })
      const kept = tools.filter((tool) => Object.keys(tool).length > 0)
      if (stripped.length > 0) {
        if (kept.length > 0) body['tools'] = kept
        else for (const key of ['tools', 'toolConfig', 'tool_config']) delete body[key]
      }
    }
    const config = configOf(body)
    const asked = count(config['maxOutputTokens']) || count(config['max_output_tokens'])
    const answers = Math.max(1, count(config['candidateCount']), count(config['candidate_count']))
    const model = /\/models\/([^/:?]+)/.exec(path)?.[1] ?? ''
    const keptContext = text(body['cachedContent'] ?? body['cached_content']) !== ''
    return { model, maxOutputTokens: (asked || mostOutputTokens) * answers, keptContext, stripped }
  },

  limitOutput(body, _path, maxTokens) {
    const config = configOf(body)
    for (const key of ['max_output_tokens', 'candidateCount', 'candidate_count']) delete config[key]
    config['maxOutputTokens'] = maxTokens
    delete body['generation_config']
    body['generationConfig'] = config
  },

  reader,
  refusal: geminiRefusal,

  error: (status, message) => ({
    error: { code: status, message, status: statusWords[status] ?? 'INTERNAL' },
  }),
}

const verbs: Readonly<Record<string, Route['kind']>> = {
  generateContent: 'answer',
  streamGenerateContent: 'answer',
  countTokens: 'aside',
}

/** All other kinds of tools run at the provider: search, code, addresses, maps, files, computers. */
const clientKeys: ReadonlySet<string> = new Set(['functionDeclarations', 'function_declarations'])

const statusWords: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
}

/** JSON of Google's may have its names in either way of writing. */
function configOf(body: Json): Json {
  return { ...object(body['generation_config']), ...object(body['generationConfig']) }
}

function reader(): AnswerReader {
  let usage: Json | null = null
  let model: string | null = null
  let refused: RefusedAnswer | null = null
  let ended = false
  let said = 0
  return {
    read(json) {
      for (const chunk of Array.isArray(json) ? json.map(object) : [object(json)]) {
        if (isObject(chunk['usageMetadata'])) usage = chunk['usageMetadata']
        if (text(chunk['modelVersion']) !== '') model = text(chunk['modelVersion'])
        for (const part of list(chunk['candidates']).flatMap(partsOf)) said += partLength(part)
        if (list(chunk['candidates']).some((each) => text(object(each)['finishReason']) !== '')) ended = true
        if (isObject(chunk['error'])) {
          refused = { status: count(chunk['error']['code']), headers: {}, body: chunk }
        }
      }
    },
    tokens() {
      if (usage === null) return null
      const cacheRead = count(usage['cachedContentTokenCount'])
      const all = count(usage['promptTokenCount']) + count(usage['toolUsePromptTokenCount'])
      return {
        ...noTokens,
        input: Math.max(0, all - cacheRead),
        cacheRead,
        output: count(usage['candidatesTokenCount']) + count(usage['thoughtsTokenCount']),
      }
    },
    model: () => model,
    said: () => said,
    refusal: () => refused,
    ended: () => ended,
  }
}

function partsOf(candidate: unknown): readonly unknown[] {
  return list(object(object(candidate)['content'])['parts'])
}

function partLength(part: unknown): number {
  const { text: words, functionCall } = object(part)
  return text(words).length + (functionCall === undefined ? 0 : JSON.stringify(functionCall).length)
}
