/** Protocols that the stand-in speaks. */
export type Protocol = 'anthropic' | 'responses' | 'chat' | 'gemini'

/** What one request asks for, whatever its protocol. */
export interface Turn {
  readonly protocol: Protocol
  readonly model: string
  readonly stream: boolean
  /** Texts of the user, oldest first. */
  readonly said: readonly string[]
  /** What the tool calls answered that followed the user's last text, oldest first. */
  readonly results: readonly string[]
  readonly tools: readonly Tool[]
  /** The answer has to be JSON: a question that the command line asks for itself. */
  readonly wantsJson: boolean
  /** The whole request as text. */
  readonly text: string
}

/** A tool of the command line, as far as it matters for calling it. */
export interface Tool {
  readonly name: string
  /** Takes plain text in place of JSON. */
  readonly freeform: boolean
  readonly properties: Readonly<Record<string, { readonly type?: unknown }>>
}

export interface ToolCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>> | string
}

/** Tokens of one answer. `input` is what was neither read from a cache nor written to one. */
export interface Tokens {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
}

/** How a provider refuses, see refusals.ts. */
export type Refusal =
  | 'unauthorized'
  | 'forbidden'
  | 'no-such-model'
  | 'too-many-requests'
  | 'limit-reached'
  | 'limit-reached-epoch'
  | 'quota-spent'
  | 'broken'
  | 'overloaded'

/** What the model does on one request. */
export type Answer =
  | { readonly kind: 'words'; readonly text: string; readonly tokens?: Partial<Tokens> }
  | { readonly kind: 'calls'; readonly calls: readonly ToolCall[]; readonly tokens?: Partial<Tokens> }
  /** A good end without any content. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'refusal'; readonly refusal: Refusal }
  /** Never goes on, from the beginning or after some words. */
  | { readonly kind: 'hang'; readonly afterWords: boolean }
  /** The connection breaks, from the beginning or after some words. */
  | { readonly kind: 'cut'; readonly afterWords: boolean }
  /** A good status, and then no protocol at all. */
  | { readonly kind: 'garbage' }
  /** Words, piece by piece; `pieces` may be infinite. */
  | { readonly kind: 'drip'; readonly pieces: number; readonly everyMs: number; readonly pieceBytes: number }

/** An answer that the model begins. */
export type Given = Exclude<Answer, { kind: 'refusal' }>

/** A script: answers each request by what it has seen so far; `nth` counts the requests of this scene from 0. */
export type Scene = (turn: Turn, nth: number) => Answer

export const usualTokens: Tokens = { input: 1200, output: 60, cacheRead: 0, cacheWrite: 0 }
