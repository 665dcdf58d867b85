/** What one answer was made of, in tokens, each counted once. */
export interface Tokens {
  /** Neither read from a cache nor written to one. */
  readonly input: number
  readonly cacheRead: number
  readonly cacheWrite: number
  /** Written to a cache that lasts for an hour, at a higher price. */
  readonly cacheWriteHour: number
  /** Thoughts included. */
  readonly output: number
}

export const noTokens: Tokens = { input: 0, cacheRead: 0, cacheWrite: 0, cacheWriteHour: 0, output: 0 }

/** Everything that went in. */
export function inputOf(tokens: Tokens): number {
  return tokens.input + tokens.cacheRead + tokens.cacheWrite + tokens.cacheWriteHour
}
