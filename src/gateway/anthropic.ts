import { dropAddresses } from './addresses.ts'
import { anthropicRefusal } from './anthropic-refusal.ts'
import { count, isObject, list, object, text, type Json } from './json.ts'
import type { AnswerReader, Provider, RefusedAnswer, Route } from './provider.ts'
import { noTokens } from './tokens.ts'

/** Where a request does not say; no model says more. */
const mostOutputTokens = 128_000
/** The fewest that a budget of thoughts may have. */
const fewestThoughts = 1024
const subscriptionBeta = 'oauth-2025-04-20'

/** Anthropic Messages. */
export const anthropic: Provider = {
  name: 'anthropic',

  route(method, path): Route | null {
    const [, name, beta = ''] = /^\/v1\/(messages|messages\/count_tokens)(\?beta=true)?$/.exec(path) ?? []
    if (method === 'POST' && name !== undefined) {
      return { kind: name === 'messages' ? 'answer' : 'aside', path: `/v1/${name}${beta}` }
    }
    const lists =
      /^\/v1\/models(?:\/[a-zA-Z0-9._-]+)?(?:\?[a-z_]+=[a-zA-Z0-9_-]*(?:&[a-z_]+=[a-zA-Z0-9_-]*)*)?$/
    return method === 'GET' && lists.test(path) ? { kind: 'aside', path } : null
  },

  authorization: ({ kind, secret }) =>
    kind === 'key' ? ['x-api-key', secret] : ['authorization', `Bearer ${secret}`],

  passedHeaders: ['anthropic-version', 'anthropic-beta', 'x-app', 'x-stainless-*', 'x-claude-code-*'],

  adapt(headers, { kind }) {
    if (kind !== 'subscription') return
    const betas = (headers['anthropic-beta'] ?? '').split(',').filter((beta) => beta.trim() !== '')
    if (!betas.includes(subscriptionBeta)) headers['anthropic-beta'] = [...betas, subscriptionBeta].join(',')
  },

  prepare(body, _path, { hostedTools }) {
    const stripped: string[] = []
    // Faster and dearer answers than the list of prices knows.
    if (take(body, 'speed')) stripped.push('speed')
    if (!hostedTools) {
      if (take(body, 'mcp_servers')) stripped.push('mcp_servers')
      if (take(body, 'container')) stripped.push('container')
      if (dropAddresses(body['messages'])) stripped.push('addresses')
      const tools = list(body['tools'])
      const kept = tools.filter((tool) => !runsAtProvider(tool))
      if (kept.length < tools.length) {
        stripped.push(...tools.filter(runsAtProvider).map((tool) => text(object(tool)['name'])))
        if (kept.length > 0) body['tools'] = kept
        else delete body['tools']
        const choice = text(object(body['tool_choice'])['name'])
        if (kept.length === 0 || stripped.includes(choice)) delete body['tool_choice']
      }
    }
    const maxOutputTokens = count(body['max_tokens']) || mostOutputTokens
    return { model: text(body['model']), maxOutputTokens, keptContext: false, stripped }
  },

  limitOutput(body, _path, maxTokens) {
    body['max_tokens'] = maxTokens
    const thinking = object(body['thinking'])
    if (count(thinking['budget_tokens']) < maxTokens) return
    if (maxTokens > fewestThoughts)
      thinking['budget_tokens'] = Math.max(fewestThoughts, maxTokens - fewestThoughts)
    else delete body['thinking']
  },

  reader,
  refusal: anthropicRefusal,

  error: (status, message) => ({
    type: 'error',
    error: { type: errorTypes[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error'), message },
  }),
}

const errorTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

/**
 * Tools of a type with a date run at the provider, but for those that its models were only taught and the command line
 * carries out, and the search among the request's own tools, which reaches nothing; see docs.anthropic.com/en/docs/agents-and-tools/tool-use/overview.
 */
function runsAtProvider(tool: unknown): boolean {
  const type = text(object(tool)['type'])
  if (type === '' || type === 'custom') return false
  return !/^(?:bash|text_editor|computer|memory|tool_search_tool_[a-z0-9]+)_\d{8}$/.test(type)
}

function take(body: Json, key: string): boolean {
  if (!(key in body)) return false
  delete body[key]
  return true
}

function reader(): AnswerReader {
  let usage: Json | null = null
  let model: string | null = null
  let refused: RefusedAnswer | null = null
  let ended = false
  let said = 0
  const merge = (more: unknown) => {
    if (!isObject(more)) return
    // Each event tells what it knows; what it does not know is null or left out.
    usage = { ...usage, ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== null)) }
  }
  return {
    read(json) {
      const event = object(json)
      const message = event['type'] === 'message' ? event : object(event['message'])
      if (text(message['model']) !== '') model = text(message['model'])
      merge(message['usage'])
      const delta = object(event['delta'])
      for (const part of [delta['text'], delta['partial_json'], delta['thinking']]) said += text(part).length
      if (event['type'] === 'message_delta') merge(event['usage'])
      if (event['type'] === 'message' || event['type'] === 'message_stop') ended = true
      if (event['type'] === 'error') {
        const busy = text(object(event['error'])['type']) === 'overloaded_error'
        refused = { status: busy ? 529 : 500, headers: {}, body: event }
      }
    },
    tokens() {
      if (usage === null) return null
      const written = count(usage['cache_creation_input_tokens'])
      const hour = count(object(usage['cache_creation'])['ephemeral_1h_input_tokens'])
      return {
        ...noTokens,
        input: count(usage['input_tokens']),
        cacheRead: count(usage['cache_read_input_tokens']),
        cacheWrite: Math.max(0, written - hour),
        cacheWriteHour: hour,
        output: count(usage['output_tokens']),
      }
    },
    model: () => model,
    said: () => said,
    refusal: () => refused,
    ended: () => ended,
  }
}
