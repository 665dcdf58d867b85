import type { ProviderName } from '../model/provider.ts'
import type { Budget, BudgetScope } from './spend.ts'
import type { Lease } from './lease.ts'
import type { Problem } from './runtime.ts'

export type { ProviderName }

/** Stands between an agent and its provider: it alone has the real key, and counts what is spent. */
export interface Gateway {
  /** Never throws. What keeps the provider from being used: no login, mostly; told before a task starts. */
  problems(provider: ProviderName): Promise<readonly Problem[]>
  /** The account behind the provider's login, without secrets: what a quota holds. `null`: there is no login. */
  account(provider: ProviderName): string | null
  /** Whether a cap on money can be kept with a model of this name. Names that stand for whatever is current count as known. */
  knowsPrice(model: string): boolean
  /** Opens a way to the provider for one attempt. Rejects where the machine is at fault. */
  open(spec: GatewaySpec): Promise<GatewaySession>
}

export interface GatewaySpec {
  readonly lease: Lease
  readonly provider: ProviderName
  /** As the task names it; `null`: the agent's own choice, known with its first request. */
  readonly model: string | null
  /**
   * US dollars that the task may cost in all, earlier attempts included; `null`: no cap. Checked, with what is reserved,
   * before each request.
   */
  readonly capUsd: number | null
  /** What else it is counted for: its run, its night. */
  readonly budgets?: readonly Budget[]
  /** Whether tools that run at the provider (web search, hosted MCP) may pass; else they are stripped. */
  readonly hostedTools: boolean
}

export interface GatewaySession {
  /** Unix socket on this machine that speaks HTTP; a sandbox reaches it by a relay, see `Command.relays`. */
  readonly socket: string
  /**
   * TCP port to relay it from, so that the agent's base URL is `http://127.0.0.1:PORT` (with `/v1` for OpenAI): free on
   * this machine when the session was opened, since a sandbox with the machine's own network shares its loopback.
   */
  readonly port: number
  /**
   * The key that the agent is given: good for this session only, worth nothing elsewhere. Looks like the provider's own;
   * begins with `sk-ant-oat` where the login is Claude Code's long-lived token, and is given to it as one.
   */
  readonly key: string
  /** Aborts when the agent can get no further: its own long retries are cut short. */
  readonly stopping: AbortSignal
  usage(): GatewayUsage
  /** Why the agent can get no further; `null`: nothing is in its way. */
  stop(): GatewayStop | null
  /** The same of an agent that ended by itself, and badly: what its provider refused last may be why. */
  givenUp(): GatewayStop | null
  /** Ends what is under way. Idempotent. */
  close(): Promise<void>
}

/** What a session has used so far. */
export interface GatewayUsage {
  readonly requests: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** `null`: a model without a known price was used. */
  readonly costUsd: number | null
  /** Models that answered. */
  readonly models: readonly string[]
}

export type GatewayStop =
  | { kind: 'over_budget'; scope: BudgetScope; capUsd: number; spentUsd: number }
  /** The account has to wait: until the time that the provider named, or for a back-off that grows. */
  | { kind: 'quota'; account: string; delayMs: number; message: string }
  /** The provider refused the login: only a person can mend it. */
  | { kind: 'login_refused'; message: string }
  /** A cap was asked for, and the model has no known price. */
  | { kind: 'price_unknown'; model: string }
