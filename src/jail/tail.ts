/** Keeps the last bytes of a stream, whatever its length. */
export class Tail {
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  write(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    // Joined only now and then: once per chunk would copy 64 KiB for every few bytes.
    if (this.#bytes > 4 * this.#maxBytes || this.#chunks.length > 1000) this.#join()
  }

  /** The last bytes as text, beginning with a whole character. */
  text(): string {
    const cut = this.#bytes > this.#maxBytes
    const bytes = this.#join()
    let start = 0
    if (cut) while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
    return bytes.toString('utf8', start)
  }

  #join(): Buffer {
    const all = Buffer.concat(this.#chunks)
    // Copied, since a part of a buffer keeps all of it in memory.
    const last = all.length > this.#maxBytes ? Buffer.from(all.subarray(-this.#maxBytes)) : all
    this.#chunks = [last]
    this.#bytes = last.length
    return last
  }
}
