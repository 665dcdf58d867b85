import type { ProviderAccess, ProviderLogin } from '../model/provider-access.ts'
import type { ProviderName } from '../model/provider.ts'
import type { Environment } from './environment.ts'

/** Where the model providers are, and the login for each. */
export function providerAccess(env: Environment): Record<ProviderName, ProviderAccess> {
  return {
    anthropic: { baseUrl: env.ANTHROPIC_BASE_URL, login: anthropicLogin(env) },
    openai: { baseUrl: env.OPENAI_BASE_URL, login: keyLogin(env.OPENAI_API_KEY) },
    gemini: { baseUrl: env.GOOGLE_GEMINI_BASE_URL, login: keyLogin(env.GEMINI_API_KEY) },
  }
}

/** In the order in which Claude Code itself takes them. */
function anthropicLogin(env: Environment): ProviderLogin | null {
  const { ANTHROPIC_AUTH_TOKEN: bearer, ANTHROPIC_API_KEY: key, CLAUDE_CODE_OAUTH_TOKEN: subscription } = env
  if (bearer !== undefined) return { kind: 'bearer', secret: bearer.trim() }
  if (key !== undefined) return keyLogin(key)
  return subscription === undefined ? null : { kind: 'subscription', secret: subscription.trim() }
}

function keyLogin(key: string | undefined): ProviderLogin | null {
  return key === undefined ? null : { kind: 'key', secret: key.trim() }
}
