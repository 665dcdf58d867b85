import type { AgentName } from './submission.ts'

/** Model providers whose protocol the gateway speaks: Anthropic Messages, OpenAI Responses and Chat, Gemini. */
export const providerNames = ['anthropic', 'openai', 'gemini'] as const
export type ProviderName = (typeof providerNames)[number]

/** Which provider a task's agent talks to; `null`: none, or only its command or its own settings know. */
export function providerOf(agent: AgentName, model: string | null): ProviderName | null {
  switch (agent) {
    case 'claude':
      return 'anthropic'
    case 'codex':
      return 'openai'
    case 'gemini':
      return 'gemini'
    case 'opencode':
    case 'acp':
      return namedProvider(model)
    case 'command':
      return null
    default:
      return agent satisfies never
  }
}

/** The provider before the slash of `provider/model`, by the names that OpenCode has for it. */
function namedProvider(model: string | null): ProviderName | null {
  const name = model?.split('/')[0]
  if (name === 'google') return 'gemini'
  return providerNames.find((provider) => provider === name) ?? null
}
