import { dropAddresses } from './addresses.ts'
import { count, list, object, text, type Json } from './json.ts'
import { openaiReader } from './openai-reader.ts'
import { openaiRefusal } from './openai-refusal.ts'
import type { Provider, Route } from './provider.ts'

/** Where a request does not say; no model says more. */
const mostOutputTokens = 128_000
const keptContexts = ['previous_response_id', 'conversation', 'prompt']
const paths: Readonly<Record<string, Route['kind']>> = {
  '/v1/responses': 'answer',
  '/v1/responses/compact': 'answer',
  '/v1/chat/completions': 'answer',
  '/v1/responses/input_tokens': 'aside',
}

/** OpenAI Responses and Chat Completions, and those who speak like it. */
export const openai: Provider = {
  name: 'openai',

  route(method, path): Route | null {
    // The base address has the version in it.
    const onward = path.replace(/^\/v1/, '')
    if (method === 'POST' && Object.hasOwn(paths, path)) return { kind: paths[path] ?? 'aside', path: onward }
    const lists = /^\/v1\/models(?:\/[a-zA-Z0-9._:-]+)?(?:\?client_version=[0-9a-z.-]+)?$/
    return method === 'GET' && lists.test(path) ? { kind: 'aside', path: onward } : null
  },

  authorization: ({ secret }) => ['authorization', `Bearer ${secret}`],

  passedHeaders: ['openai-beta', 'originator', 'session_id', 'conversation_id', 'x-stainless-*', 'x-codex-*'],

  prepare(body, path, { hostedTools }) {
    const stripped: string[] = []
    // What goes on when the connection has ended could be neither counted nor ended.
    if (body['background'] === true) delete body['background']
    // Faster and dearer answers than the list of prices knows.
    if (!['auto', 'default', 'flex'].includes(text(body['service_tier']))) delete body['service_tier']
    const isChat = path === '/v1/chat/completions'
    if (isChat && body['stream'] === true) {
      body['stream_options'] = { ...object(body['stream_options']), include_usage: true }
    }
    if (!hostedTools) {
      if ('web_search_options' in body) {
        delete body['web_search_options']
        stripped.push('web_search_options')
      }
      if (dropAddresses(isChat ? body['messages'] : body['input'])) stripped.push('addresses')
      const tools = list(body['tools'])
      const gone = tools.filter(runsAtProvider)
      if (gone.length > 0) {
        stripped.push(...gone.map((tool) => text(object(tool)['type'])))
        const kept = tools.filter((tool) => !runsAtProvider(tool))
        if (kept.length > 0) body['tools'] = kept
        else delete body['tools']
        if (kept.length === 0 || stripped.includes(text(object(body['tool_choice'])['type']))) {
          delete body['tool_choice']
        }
      }
    }
    const asked =
      count(body['max_output_tokens']) || count(body['max_completion_tokens']) || count(body['max_tokens'])
    // Several answers at once cost several times as much.
    const answers = Math.max(1, count(body['n']))
    const keptContext = keptContexts.some((key) => (body[key] ?? null) !== null)
    const maxOutputTokens = (asked || mostOutputTokens) * answers
    return { model: text(body['model']), maxOutputTokens, keptContext, stripped }
  },

  limitOutput(body, path, maxTokens) {
    delete body['n']
    if (path !== '/v1/chat/completions') body['max_output_tokens'] = Math.max(16, maxTokens)
    else if ('max_tokens' in body) body['max_tokens'] = maxTokens
    else body['max_completion_tokens'] = maxTokens
  },

  reader: openaiReader,
  refusal: openaiRefusal,

  error: (status, message) => ({ error: { message, type: errorType(status), param: null, code: null } }),
}

function errorType(status: number): string {
  if (status === 401) return 'authentication_error'
  return status < 500 ? 'invalid_request_error' : 'server_error'
}

/** What the client carries out by itself; all other types run at the provider. */
const clientTools: ReadonlySet<string> = new Set([
  'function',
  'custom',
  'local_shell',
  'apply_patch',
  'namespace',
])

function runsAtProvider(tool: unknown): boolean {
  const { type, environment, execution }: Json = object(tool)
  if (type === 'tool_search') return execution !== 'client'
  // A shell is the client's own unless it is asked for in a container of the provider's.
  if (type === 'shell') return !['', 'local'].includes(text(object(environment)['type']))
  return !clientTools.has(text(type))
}
