export interface ApiToken {
  readonly id: string
  readonly name: string
  readonly createdAt: string
  readonly lastUsedAt: string | null
}

/** Bearer tokens of the API. Only SHA-256 hashes of them are kept. */
export interface TokenStore {
  /** Answers the token itself, this once. */
  create(name: string): Promise<{ token: string; stored: ApiToken }>
  list(): Promise<readonly ApiToken[]>
  /** `false`: there is no such token. */
  revoke(id: string): Promise<boolean>
  /** Whether this is a token that was not revoked; notes its use at most once a minute. */
  verify(token: string): Promise<boolean>
  /** Whether there is any token. */
  any(): Promise<boolean>
}
