/**
 * The work of a task as the gate sees it: facts that the publisher read from its own copy. Nothing here comes from
 * the agent's clone. What it declares is all that the rules ever ask, so a rule that is off costs no read.
 */
export interface JudgedWork {
  readonly changes: readonly JudgedChange[]
  /** Lines, over all files that have lines. */
  readonly insertions: number
  readonly deletions: number
  readonly commits: readonly JudgedCommit[]
  /** What a scanner found in what was added; empty where it was not asked for. */
  readonly secretFindings: readonly SecretFinding[]
  /**
   * The first `maxBytes` bytes of a file, for a symlink its target; `null`: no such file. Rejects only where the
   * machinery fails, which then rejects the judgement.
   */
  readFile(at: 'base' | 'head', path: string, maxBytes: number): Promise<Buffer | null>
  /** All files of the head, by path (`git ls-tree -r -l`). Asked for at most once. */
  headTree(): Promise<ReadonlyMap<string, TreeEntry>>
}

/** One path that differs between base and head. A rename is a deletion and an addition. */
export interface JudgedChange {
  readonly path: string
  readonly status: 'added' | 'modified' | 'deleted' | 'type_changed'
  /** Git's file modes: 100644, 100755, 120000 (symlink), 160000 (submodule), 000000 (absent). */
  readonly oldMode: string
  readonly newMode: string
  /** `null` for binary files and submodules. */
  readonly insertions: number | null
  readonly deletions: number | null
}

export interface TreeEntry {
  readonly mode: string
  /** `null` for submodules. */
  readonly bytes: number | null
}

/** One commit from base to head. */
export interface JudgedCommit {
  readonly sha: string
  readonly parents: readonly string[]
  readonly authorEmail: string
  readonly committerEmail: string
}

/** A secret in what was added. It is named by its kind: the secret itself goes nowhere. */
export interface SecretFinding {
  /** `null`: it is in a commit's message, or in no file in particular. */
  readonly file: string | null
  /** Counted from 1 in the head's file; `null`: it stands elsewhere, or in a file without lines. */
  readonly line: number | null
  /** The commit, where it stands in what a commit adds or says and not at the head; `null`: at the head. */
  readonly commit: string | null
  /** For example `github`. */
  readonly kind: string
}

export const fileModes = {
  absent: '000000',
  executable: '100755',
  symlink: '120000',
  submodule: '160000',
} as const

/** Whether the head has a plain file at this path. */
export function isPlainFile(change: JudgedChange): boolean {
  return change.newMode.startsWith('100')
}

/** Whether the head has anything at this path. */
export function isThere(change: JudgedChange): boolean {
  return change.status !== 'deleted' && change.newMode !== fileModes.absent
}
