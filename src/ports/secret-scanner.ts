/** What looks like a secret, without the secret. */
export interface ScannedSecret {
  /** Counted from 1. */
  readonly line: number
  /** For example `github`. */
  readonly kind: string
}

/** Looks for passwords, keys and tokens in a text. Never throws on account of what the text holds. */
export type SecretScanner = (file: string, text: string) => Promise<readonly ScannedSecret[]>
