import type { Blob } from './blob.ts'

const maxKept = 64
const maxKeptBytes = 64 * 1024

/**
 * Remembers small files of commits, which never change: the tasks of a night ask for the rules of the same base one
 * after the other.
 */
export class KeptFiles {
  readonly #read: (repo: string, sha: string, path: string, maxBytes: number) => Promise<Blob | null>
  readonly #kept = new Map<string, Promise<Blob | null>>()

  constructor(read: KeptFiles['read']) {
    this.#read = read
  }

  /** As what it was made with. */
  async read(repo: string, sha: string, path: string, maxBytes: number): Promise<Blob | null> {
    const key = JSON.stringify([repo, sha, path, maxBytes])
    const known = this.#kept.get(key)
    if (known !== undefined) return known
    const reading = this.#read(repo, sha, path, maxBytes)
    this.#kept.set(key, reading)
    const oldest = this.#kept.size > maxKept ? this.#kept.keys().next().value : undefined
    if (oldest !== undefined) this.#kept.delete(oldest)
    try {
      const blob = await reading
      if ((blob?.content.length ?? 0) > maxKeptBytes) this.#kept.delete(key)
      return blob
    } catch (error) {
      this.#kept.delete(key)
      throw error
    }
  }
}
