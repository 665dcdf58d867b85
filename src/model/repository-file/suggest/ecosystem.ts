/** What of a repository is looked at: texts of files at its root. */
export interface RepositoryRoot {
  /** The text of a file; `null`: there is none. */
  read(name: string): string | null
  /** Whether there is a file or a folder of that name. */
  has(name: string): boolean
}

/** One check, as it is written down. */
export interface SuggestedCheck {
  readonly name: string
  readonly run: string
  readonly files?: readonly string[]
  readonly baseline?: true
}

/** What fits one language or tool that was found. */
export interface Suggestion {
  /** As people say it: `Node`. */
  readonly kind: string
  readonly image: string
  readonly setup: string | null
  /** The registry that set-up has to reach. */
  readonly registry: 'npm' | 'pip' | 'go' | 'cargo'
  readonly checks: readonly SuggestedCheck[]
  /** Whether there are tests to keep. */
  readonly tests: boolean
}
