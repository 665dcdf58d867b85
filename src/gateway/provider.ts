import type { ProviderName } from '../model/provider.ts'
import type { ProviderLogin } from '../model/provider-access.ts'
import type { Json } from './json.ts'
import type { Tokens } from './tokens.ts'

/** One provider's protocol: what may pass, what it costs, and what its refusals mean. Must not throw on any input. */
export interface Provider {
  readonly name: ProviderName
  /** What a request is for, by method and path as they came, unnormalized; `null`: nothing that may pass. */
  route(method: string, path: string): Route | null
  /** Header in which the provider takes its key, and its value. */
  authorization(login: ProviderLogin): readonly [name: string, value: string]
  /** Headers of an agent's request, by name, that the provider needs to see: whole names, or their beginning with `*`. */
  readonly passedHeaders: readonly string[]
  /** Changes a header on its way, where the login needs it. */
  adapt?(headers: Record<string, string>, login: ProviderLogin): void
  /** What a request is about; changes the body in place where something must not pass. */
  prepare(body: Json, path: string, rules: { hostedTools: boolean }): Prepared
  /** Lowers how much the model may say. */
  limitOutput(body: Json, path: string, maxTokens: number): void
  /** Reads the tokens of one answer, from all of it or from its events in order. */
  reader(): AnswerReader
  /** What a refusal means; `null`: nothing but that this request failed. */
  refusal(answer: RefusedAnswer): Refusal | null
  /** An error in the provider's own form. */
  error(status: number, message: string): Json
}

/** `answer`: the model works, and it costs money. `aside`: neither, such as counting tokens. */
export interface Route {
  readonly kind: 'answer' | 'aside'
  /** To be put behind the base address. */
  readonly path: string
}

export interface Prepared {
  readonly model: string
  /** As the request limits it; else the most that the provider's models say. */
  readonly maxOutputTokens: number
  /** It builds on what the provider keeps, such as an earlier answer: there is more input than its body shows. */
  readonly keptContext: boolean
  /** What was taken out, by name. */
  readonly stripped: readonly string[]
}

export interface AnswerReader {
  /** One event, or the whole answer. */
  read(json: unknown): void
  /** `null`: the answer did not say. */
  tokens(): Tokens | null
  /** Model that answered, as it says itself; `null`: it did not. */
  model(): string | null
  /** Characters that the model has said in events so far, thoughts and calls included. */
  said(): number
  /** A refusal that came in the midst of an answer with a good status. */
  refusal(): RefusedAnswer | null
  /** Whether the answer has come to its own end. */
  ended(): boolean
}

export interface RefusedAnswer {
  readonly status: number
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

export type Refusal =
  /** The login is not taken. */
  | { readonly kind: 'login'; readonly message: string }
  /**
   * No more for this account. `lasting`: not a matter of a minute, whatever the delay says. `delayMs` is `null` where the
   * provider does not say how long.
   */
  | {
      readonly kind: 'limit'
      readonly message: string
      readonly delayMs: number | null
      readonly lasting: boolean
    }
  /** The provider itself has no room or does not answer. */
  | { readonly kind: 'busy'; readonly message: string; readonly delayMs: number | null }
