import type { TokenRole } from '../ports/token-store.ts'

/** Who looks at a page. */
export interface Viewer {
  readonly role: TokenRole
  /** What the page's forms carry. */
  readonly formKey: string
  /** By a token, so that there is something to sign out of. */
  readonly signedIn: boolean
}
