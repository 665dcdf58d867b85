import type { Work } from './publisher.ts'

/** A checkout that a person has in hand, looked at as the gate looks at work. Nothing in it is changed. */
export interface Checkouts {
  /** Rejects with {@link CheckoutFault} where there is nothing that could be judged. */
  open(folder: string, options: CheckoutOptions): Promise<Checkout>
}

export interface CheckoutOptions {
  /** Branch, tag or commit that the work is to go onto; `null`: the remote's default branch, where it is known. */
  readonly base: string | null
  /** What is staged, in place of all that is in the folder. */
  readonly staged: boolean
  /** The index that git is committing from, where it is another than the usual one. */
  readonly indexFile: string | null
}

export interface Checkout {
  /** The top folder. */
  readonly root: string
  /** What the base was named by. */
  readonly baseName: string
  /**
   * From where the work left the base to what is in hand. What is not committed is its last commit, which is nowhere
   * but here.
   */
  readonly work: Work
  /** Makes a folder with the files of the base, and nothing else; it goes with {@link close}. */
  layOutBase(): Promise<string>
  /** Removes what was made for looking at it. */
  close(): Promise<void>
}

/** The person has to mend it: no repository, no such base, conflicts. */
export class CheckoutFault extends Error {
  override readonly name = 'CheckoutFault'
}
