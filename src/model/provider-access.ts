/** How a provider is reached, and what opens it. */
export interface ProviderAccess {
  /** Address without a slash at its end; OpenAI's ends in `/v1`. */
  readonly baseUrl: string
  /** `null`: there is none. */
  readonly login: ProviderLogin | null
}

/**
 * `key`: an API key, in the provider's own header. `subscription`: Claude Code's long-lived token, which only its
 * command line may use. `bearer`: a token of something in between, such as a company's own gateway.
 */
export interface ProviderLogin {
  readonly kind: 'key' | 'subscription' | 'bearer'
  readonly secret: string
}
