import type { ProviderAccess, ProviderLogin } from '../model/provider-access.ts'
import type { ProviderName } from '../model/provider.ts'
import { prices, pricesAsOf } from './prices.ts'

const names: Readonly<Record<ProviderName, string>> = {
  anthropic: 'Anthropic',
  openai: 'OpenAI',
  gemini: 'Gemini',
}

const logins: Readonly<Record<ProviderLogin['kind'], string>> = {
  key: 'an API key',
  subscription: 'Claude Code’s long-lived token',
  bearer: 'a bearer token',
}

/** The providers' addresses and kinds of login, and how old the prices are, in a sentence. */
export function summary(access: Readonly<Record<ProviderName, ProviderAccess>>): string {
  const ways = (['anthropic', 'openai', 'gemini'] as const).map((name) => {
    const { baseUrl, login } = access[name]
    return `${names[name]}: ${login === null ? 'no login' : `${logins[login.kind]}, at ${baseUrl}`}`
  })
  return [...ways, `list prices of ${Object.keys(prices).length} models as of ${pricesAsOf}`].join('; ')
}
