/** What looks like a secret. */
export interface ScannedSecret {
  /** Counted from 1. */
  readonly line: number
  /** For example `github`. */
  readonly kind: string
  /** The secret itself: to be compared, and never shown; empty: it must not be there at all. */
  readonly text: string
}

/** Looks for passwords, keys and tokens in a text. Never throws on account of what the text holds. */
export type SecretScanner = (file: string, text: string) => Promise<readonly ScannedSecret[]>
