/** Through which door a request came: a person at this machine's terminal, or anyone who may speak to the API. */
export type Door = 'terminal' | 'rest'

/** Decides which repositories a request may name. */
export interface Repositories {
  /**
   * The one way to write this repository (a URL without credentials, or an absolute real path), and whether it is on
   * this machine; or why it cannot be taken, as a sentence that says what to do. Does not ask the network.
   */
  locate(repo: string, door: Door): Promise<Located>
}

export type Located = { ok: true; repo: string; local: boolean } | { ok: false; message: string }
