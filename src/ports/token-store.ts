/** `operator`: everything. `reader`: looks at everything and changes nothing. */
export const tokenRoles = ['operator', 'reader'] as const
export type TokenRole = (typeof tokenRoles)[number]

export interface ApiToken {
  readonly id: string
  readonly name: string
  readonly role: TokenRole
  readonly createdAt: string
  readonly lastUsedAt: string | null
}

/** Bearer tokens of the API. Only SHA-256 hashes of them are kept. */
export interface TokenStore {
  /** Answers the token itself, this once. */
  create(name: string, role?: TokenRole): Promise<{ token: string; stored: ApiToken }>
  list(): Promise<readonly ApiToken[]>
  /** `false`: there is no such token. */
  revoke(id: string): Promise<boolean>
  /** What the holder of this token may do; `null`: there is no such token. Notes its use at most once a minute. */
  verify(token: string): Promise<TokenRole | null>
  /** Whether there is any token. */
  any(): Promise<boolean>
}

/** Somebody who exchanged a token for a cookie. */
export interface Session {
  readonly role: TokenRole
  /** What the posts of this session's pages carry, so that no other page can make them. */
  readonly formKey: string
  /** The cookie's next value, where it was time for one; the old one still counts for a minute. */
  readonly nextSecret: string | null
}

/** Sessions of browsers: an unguessable cookie for a token, hashes of both kept. */
export interface SessionStore {
  /** Exchanges a token that was verified; answers the cookie's value. */
  open(token: string): Promise<string>
  /**
   * The session of a cookie's value; `null`: there is none, it is over, or its token was revoked. `rotate`: gives it a
   * new value where the old one is older than a quarter of an hour.
   */
  use(secret: string, options: { rotate: boolean; environmentToken: string | null }): Promise<Session | null>
  close(secret: string): Promise<void>
}
