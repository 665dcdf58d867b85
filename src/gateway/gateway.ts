import { createHash, randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProviderAccess, ProviderLogin } from '../model/provider-access.ts'
import type { ProviderName } from '../model/provider.ts'
import type { Clock } from '../ports/clock.ts'
import type { Gateway, GatewaySpec, GatewayStop } from '../ports/gateway.ts'
import type { Log } from '../ports/log.ts'
import type { Problem } from '../ports/runtime.ts'
import type { Budget, Spend } from '../ports/spend.ts'
import { freePort } from '../process/free-port.ts'
import { anthropic } from './anthropic.ts'
import { gemini } from './gemini.ts'
import { openai } from './openai.ts'
import { Backoffs, Patience } from './patience.ts'
import { isStandIn, priceOf } from './price-of.ts'
import type { Provider } from './provider.ts'
import { Purse } from './purse.ts'
import { Session } from './session.ts'
import { createUpstream } from './upstream.ts'

export interface GatewayOptions {
  readonly access: Readonly<Record<ProviderName, ProviderAccess>>
  /** Folder for the sockets; made where it is not there. */
  readonly folder: string
  /** Begins the names of sockets, so that it is known whose they are. */
  readonly socketTag: string
  readonly spend: Spend
  readonly clock: Clock
  readonly log: Log
  /** HTTP_PROXY and the like, for the way to the providers. */
  readonly proxyEnvironment: Readonly<Record<string, string>>
}

const providers: Readonly<Record<ProviderName, Provider>> = { anthropic, openai, gemini }

const logins: Readonly<Record<ProviderName, Problem>> = {
  anthropic: {
    what: 'there is no login for Anthropic',
    todo: 'set ANTHROPIC_API_KEY, or run `claude setup-token` and set CLAUDE_CODE_OAUTH_TOKEN',
  },
  openai: { what: 'there is no login for OpenAI', todo: 'set OPENAI_API_KEY' },
  gemini: { what: 'there is no login for Gemini', todo: 'set GEMINI_API_KEY' },
}

/** Opens the gateway; its sessions are closed by whoever opened them. */
export function createGateway(options: GatewayOptions): Gateway & { close(): void } {
  const upstream = createUpstream(options.proxyEnvironment)
  const backoffs = new Backoffs()
  return {
    problems: (provider) =>
      Promise.resolve(options.access[provider].login === null ? [logins[provider]] : []),
    account: (provider) => accountOf(provider, options.access[provider].login),
    knowsPrice,
    open: async (spec) => {
      const { provider } = spec
      const access = options.access[provider]
      const account = accountOf(provider, access.login)
      if (access.login === null || account === null) throw new Error(logins[provider].what)
      const ownBudget: Budget = { scope: 'task', id: spec.lease.taskId, capUsd: spec.capUsd }
      const budgets = [ownBudget, ...(spec.budgets ?? [])]
      const purse = new Purse({ ...options, budgets })
      await mkdir(options.folder, { recursive: true, mode: 0o700 })
      const { login } = access
      return Session.open({
        provider: providers[provider],
        access,
        login,
        hostedTools: spec.hostedTools,
        upstream,
        purse,
        log: options.log,
        mask: (text) => text.replaceAll(login.secret, '***'),
        socket: join(options.folder, `${options.socketTag}-${randomBytes(6).toString('hex')}.sock`),
        port: await freePort(),
        key: newKey(provider, login),
        account,
        patience: new Patience(() => backoffs.next(account)),
        onAnswer: () => backoffs.reset(account),
        stop: await stopFromTheBeginning(spec, purse),
      })
    },
    close: () => upstream.close(),
  }
}

/** Tells accounts apart and says nothing of their keys. */
function accountOf(provider: ProviderName, login: ProviderLogin | null): string | null {
  if (login === null) return null
  return `${provider}:${createHash('sha256').update(login.secret).digest('hex').slice(0, 12)}`
}

/** Looks like the provider's own, since command lines judge a key by its beginning. */
function newKey(provider: ProviderName, login: ProviderLogin): string {
  const random = randomBytes(24).toString('base64url')
  switch (provider) {
    case 'anthropic':
      return `${login.kind === 'subscription' ? 'sk-ant-oat01' : 'sk-ant-api03'}-nightshift-${random}`
    case 'openai':
      return `sk-nightshift-${random}`
    case 'gemini':
      return `AIzaNightshift${random}`
    default:
      return provider satisfies never
  }
}

function knowsPrice(model: string): boolean {
  return isStandIn(model) || priceOf(model) !== null
}

async function stopFromTheBeginning({ model }: GatewaySpec, purse: Purse): Promise<GatewayStop | null> {
  if (!purse.capped) return null
  if (model !== null && !knowsPrice(model)) return { kind: 'price_unknown', model }
  const over = await purse.usedUp()
  if (over === null) return null
  const { scope, capUsd } = over.budget
  return { kind: 'over_budget', scope, capUsd: capUsd ?? 0, spentUsd: over.spentUsd }
}
