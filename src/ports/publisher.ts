import type { AddedLines } from '../model/added-lines.ts'

/**
 * The trusted side of git. It alone has credentials, never runs a repository's code, and believes nothing that a
 * sandbox says: all that it tells is read from its own copy or asked of the remote.
 */
export interface Publisher {
  /**
   * Asks the remote for a branch (`null`: its default branch) and its SHA, now, every time.
   * Rejects with {@link RemoteFailure}.
   */
  resolve(repo: string, branch: string | null): Promise<{ branch: string; sha: string }>
  /** Asks the remote where a branch stands, now; `null`: there is none. */
  branchAt(repo: string, branch: string): Promise<string | null>
  /** Brings the mirror of the repository to have this commit. Answers the mirror's path. */
  mirror(repo: string, sha: string, branch: string): Promise<string>
  /** A file of a commit that the mirror has; `null`: no such file. A file over `maxBytes` rejects. */
  readFile(repo: string, sha: string, path: string, maxBytes: number): Promise<Buffer | null>
  /**
   * Takes a bundle into a clean bare repository, with fsck, and judges what it brought by itself. Where the head does
   * not descend from the base (an amended or new root), its tree becomes one commit on the base.
   */
  receive(work: IncomingWork): Promise<Work>
  /**
   * Pushes the head to the branch, if the remote's branch still is what `expected` says (`null`: absent).
   * Refusals are values; a lost answer is `unknown`, and the remote has to be asked.
   */
  push(work: Work, target: { branch: string; expected: string | null }): Promise<PushAnswer>
  /**
   * Takes up work that the remote has: what was pushed before and is too large to be kept anywhere else. Rejects with
   * {@link RemoteFailure} where the remote does not have the head any more.
   */
  recall(work: RecalledWork): Promise<Work>
  /**
   * Brings the work onto a later commit of its base, which the remote has; no code of the repository runs. Both can
   * be read and pushed afterwards. Done again, it makes the same commits.
   */
  rebase(work: Work, onto: { sha: string; branch: string }, commit: CommitIdentity): Promise<Rebased>
  /**
   * Makes one commit of several that branches of the remote stand at, which the mirror then has; no code of the
   * repository runs. Done again, it makes the same commit. Rejects with {@link RemoteFailure}.
   */
  combine(
    repo: string,
    heads: readonly { sha: string; branch: string }[],
    identity: Pick<CommitIdentity, 'authorName' | 'authorEmail'>,
  ): Promise<Combined>
  /** The unified diff from an earlier commit of the base, which the work was made on before, to the base of now. */
  baseDiff(work: Work, fromSha: string, maxBytes: number): Promise<Buffer>
  /** Whether a commit of the remote has the very tree of the head. */
  hasTreeOf(work: Work, commit: { sha: string; branch: string }): Promise<boolean>
  /** Whether the work's head, or what it builds on, is this commit of the remote, or one before it. */
  isOn(work: Work, side: 'base' | 'head', commit: { sha: string; branch: string }): Promise<boolean>
  /** Deletes a branch of the remote, if it stands at the head. */
  deleteBranch(work: Work, branch: string): Promise<PushAnswer>
  /**
   * Removes what was received in this attempt and in those before it; a later one may be at work by now, in another
   * process. Never throws.
   */
  discard(taskId: string, attempt: number): Promise<void>
}

export interface IncomingWork {
  readonly taskId: string
  readonly attempt: number
  readonly repo: string
  readonly baseSha: string
  readonly bundle: Buffer
  /** Message and identity of a commit that has to be made anew. */
  readonly commit: CommitIdentity
  /** Its tree becomes one commit on the base, whatever commits it has. */
  readonly flatten?: boolean
}

export interface RecalledWork {
  readonly taskId: string
  readonly attempt: number
  readonly repo: string
  readonly baseSha: string
  readonly headSha: string
  readonly branch: string
}

export type Rebased =
  /** The work builds on it already. */
  | { kind: 'contained' }
  /** `unlike`: SHAs of commits whose change is not the same, line by line, as one before. */
  | { kind: 'rebased'; work: Work; unlike: readonly string[] }
  /** The base has all of it already. */
  | { kind: 'nothing_left' }
  /** `marked`: one commit on the new base, with both sides in the files that conflict. */
  | {
      kind: 'conflict'
      files: readonly string[]
      marked: { readonly bundle: Buffer; readonly headSha: string }
    }

export type Combined =
  | { kind: 'combined'; sha: string }
  /** They change the same places of these files. */
  | { kind: 'conflict'; files: readonly string[] }

export interface CommitIdentity {
  readonly message: string
  readonly authorName: string
  readonly authorEmail: string
}

/** Received work, as the publisher sees it. */
export interface Work {
  readonly taskId: string
  readonly repo: string
  readonly baseSha: string
  readonly headSha: string
  /** Commits from base to head. */
  readonly commits: number
  /** The head's tree is the base's tree. */
  readonly empty: boolean
  readonly changes: readonly Change[]
  readonly insertions: number
  readonly deletions: number
  /** The unified diff, at most so many bytes of it (5 MB unless told), cut at a line with a note. */
  diff(maxBytes?: number): Promise<Buffer>
  /** A file at base or head, `null`: none. At most `maxBytes` of it. */
  readFile(at: 'base' | 'head', path: string, maxBytes: number): Promise<Buffer | null>
  /** The commits from base to head, at most 10,000, newest first. */
  log(): Promise<readonly CommitFacts[]>
  /** What every commit from base to head says and adds; patches of `maxBytes` at most, all together. */
  history(maxBytes: number): Promise<History>
  /**
   * The commits between base and head, oldest first; `null`: there are more than `maxCommits`. Empty where the head is
   * the only one.
   */
  passing(maxCommits: number): Promise<readonly PassedCommit[] | null>
  /** Every path of the head. */
  headTree(): Promise<ReadonlyMap<string, TreeEntry>>
  /** A bundle of base..head, of what was judged (not of what was handed over). */
  bundle(): Promise<Buffer>
}

/** A commit on the way to the head, which is pushed with it. */
export interface PassedCommit {
  readonly sha: string
  /** What it has otherwise than the base, where the head does not change that path, or not as a file without lines. */
  readonly changes: readonly Change[]
  /** As {@link Work.readFile}, with this commit for the head. */
  readFile(at: 'base' | 'head', path: string, maxBytes: number): Promise<Buffer | null>
  tree(): Promise<ReadonlyMap<string, TreeEntry>>
}

/** Who made a commit, and on what. */
export interface CommitFacts {
  readonly sha: string
  readonly parents: readonly string[]
  readonly authorEmail: string
  readonly committerEmail: string
}

/** What the commits of the work say and add, newest first. */
export interface History {
  readonly commits: readonly CommitContent[]
  /** `false`: there is more than was to be read. */
  readonly whole: boolean
}

export interface CommitContent {
  readonly sha: string
  /** Author, committer and message. */
  readonly message: string
  readonly added: readonly AddedLines[]
  /** Binary files that it adds or changes, those of up to 2 MiB. */
  readonly binaries: readonly { readonly path: string; readonly bytes: Buffer }[]
}

export interface TreeEntry {
  readonly mode: string
  /** `null` for submodules. */
  readonly bytes: number | null
}

/** One path that differs between base and head. A rename is a deletion and an addition. */
export interface Change {
  readonly path: string
  readonly status: 'added' | 'modified' | 'deleted' | 'type_changed'
  /** Git's file modes, e.g. 100644, 100755, 120000 (symlink), 160000 (submodule), 000000 (absent). */
  readonly oldMode: string
  readonly newMode: string
  /** `null` for binary files and submodules. */
  readonly insertions: number | null
  readonly deletions: number | null
}

export type PushAnswer =
  | { kind: 'pushed' }
  /** The remote's branch was not what was expected. */
  | { kind: 'stale' }
  /** The remote refused for good, in its own words: a protected branch, a hook, no right to write. */
  | { kind: 'refused'; message: string }
  /** No answer, or one that does not tell. */
  | { kind: 'unknown'; message: string }

/** What was handed over is no usable git history: fsck failed, or objects are missing. The agent's fault. */
export class BadWork extends Error {
  override readonly name = 'BadWork'
}

/** Why a remote could not be used. */
export type RemoteFault =
  /** There is no repository, it cannot be seen with these credentials, or the path is none. */
  | 'repository_not_found'
  | 'branch_not_found'
  /** It has no commit at all. */
  | 'repository_empty'
  | 'credentials_refused'
  /** The host's name is not known. Tried again; then it counts as the user's to mend. */
  | 'host_unknown'
  /** Down, slow, or broken in a way that may pass: tried again. */
  | 'unreachable'

export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure'
  readonly fault: RemoteFault
  readonly repo: string
  readonly branch: string | null

  constructor(
    fault: RemoteFault,
    facts: { repo: string; branch?: string | null; message: string; cause?: unknown },
  ) {
    super(facts.message, { cause: facts.cause })
    this.fault = fault
    this.repo = facts.repo
    this.branch = facts.branch ?? null
  }
}
