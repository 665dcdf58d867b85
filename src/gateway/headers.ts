import type { IncomingHttpHeaders } from 'node:http'
import type { ProviderLogin } from '../model/provider-access.ts'
import type { Provider } from './provider.ts'

/** Of every provider. Keys, cookies and what is between two neighbours are not among them. */
const askedHeaders = ['accept', 'user-agent', 'x-app']

const answeredHeaders = [
  'content-type',
  'cache-control',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'request-id',
  'x-request-id',
  'anthropic-ratelimit-*',
  'x-ratelimit-*',
  'openai-processing-ms',
]

/** Headers for the provider: those of the agent that it needs to see, and the real key. */
export function headersOnward(
  provider: Provider,
  login: ProviderLogin,
  asked: IncomingHttpHeaders,
  bodyBytes: number | null,
): Record<string, string> {
  const headers = chosen(asked, [...askedHeaders, ...provider.passedHeaders])
  provider.adapt?.(headers, login)
  const [name, value] = provider.authorization(login)
  headers[name] = value
  headers['accept-encoding'] = 'identity'
  if (bodyBytes !== null) {
    headers['content-type'] = 'application/json'
    headers['content-length'] = String(bodyBytes)
  }
  return headers
}

/** Headers for the agent: nothing of the account, and nothing that is between us and the provider. */
export function headersBack(answered: IncomingHttpHeaders): Record<string, string> {
  return chosen(answered, answeredHeaders)
}

/** Every header with one value, as text. */
export function flatHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
}

function chosen(headers: IncomingHttpHeaders, patterns: readonly string[]): Record<string, string> {
  const wanted = (name: string) =>
    patterns.some((pattern) =>
      pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
    )
  return Object.fromEntries(Object.entries(flatHeaders(headers)).filter(([name]) => wanted(name)))
}
