import type { GatewayUsage } from '../ports/gateway.ts'
import { inputOf, type Tokens } from './tokens.ts'

/** What one session has used so far. */
export class Tally {
  #requests = 0
  #input = 0
  #output = 0
  #costUsd = 0
  #unpriced = false
  readonly #models = new Set<string>()

  add(request: { model: string | null; tokens: Tokens; costUsd: number | null }): void {
    this.#requests += 1
    this.#input += inputOf(request.tokens)
    this.#output += request.tokens.output
    this.#costUsd += request.costUsd ?? 0
    if (request.costUsd === null) this.#unpriced = true
    if (request.model !== null) this.#models.add(request.model)
  }

  usage(): GatewayUsage {
    return {
      requests: this.#requests,
      inputTokens: this.#input,
      outputTokens: this.#output,
      costUsd: this.#unpriced ? null : this.#costUsd,
      models: [...this.#models],
    }
  }
}
