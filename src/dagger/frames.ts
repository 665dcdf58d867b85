import type { Duplex } from 'node:stream'

const prefixBytes = 8
const maxHeaderBytes = 16 * 1024 * 1024
const maxBodyBytes = 1024 * 1024 * 1024
/** With so much unsent, whoever has more to say should wait. */
const plentyBytes = 8 * 1024 * 1024
const noBody = Buffer.alloc(0)

/**
 * Messages over a stream: two lengths of four bytes, a header in JSON, and a body of bytes that JSON would only make
 * larger. What arrives is told in order; a peer that breaks the form is cut off.
 */
export class Frames<Sent, Received> {
  readonly #stream: Duplex
  readonly #onFrame: (header: Received, body: Buffer) => void
  #chunks: Buffer[] = []
  #bytes = 0
  #wanted = prefixBytes

  constructor(stream: Duplex, onFrame: (header: Received, body: Buffer) => void) {
    this.#stream = stream
    this.#onFrame = onFrame
    stream.on('data', (chunk: Buffer) => this.#take(chunk))
  }

  /** Sends one message; after the stream has ended, nothing. */
  send(header: Sent, body: Buffer = noBody): void {
    if (!this.#stream.writable) return
    const text = Buffer.from(JSON.stringify(header))
    const prefix = Buffer.alloc(prefixBytes)
    prefix.writeUInt32BE(text.length, 0)
    prefix.writeUInt32BE(body.length, 4)
    this.#stream.write(Buffer.concat([prefix, text]))
    if (body.length > 0) this.#stream.write(body)
  }

  /** Resolves when what was sent has gone out for the most part, or never will; `null`: it has already. */
  room(): Promise<void> | null {
    const stream = this.#stream
    if (stream.writableLength < plentyBytes || !stream.writable) return null
    return new Promise((resolve) => {
      const done = () => {
        stream.off('drain', done)
        stream.off('close', done)
        resolve()
      }
      stream.once('drain', done)
      stream.once('close', done)
    })
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes >= this.#wanted) {
      const all = this.#chunks.length === 1 ? (this.#chunks[0] ?? noBody) : Buffer.concat(this.#chunks)
      const headerBytes = all.readUInt32BE(0)
      const bodyBytes = all.readUInt32BE(4)
      if (headerBytes > maxHeaderBytes || bodyBytes > maxBodyBytes) {
        this.#stream.destroy(new Error('what came was no message'))
        return
      }
      const end = prefixBytes + headerBytes + bodyBytes
      this.#chunks = [all]
      this.#wanted = end
      if (this.#bytes < end) return
      this.#chunks = end === all.length ? [] : [all.subarray(end)]
      this.#bytes -= end
      this.#wanted = prefixBytes
      const header = JSON.parse(all.toString('utf8', prefixBytes, prefixBytes + headerBytes)) as Received
      this.#onFrame(header, all.subarray(prefixBytes + headerBytes, end))
    }
  }
}
