import type { OutputLine } from '../ports/runtime.ts'

const maxBatchBytes = 256 * 1024

/** Lines that came together travel together. */
export class LineBatch {
  readonly #send: (lines: (readonly [1 | 2, string])[]) => void
  #lines: (readonly [1 | 2, string])[] = []
  #bytes = 0
  #scheduled = false

  constructor(send: (lines: (readonly [1 | 2, string])[]) => void) {
    this.#send = send
  }

  add(line: OutputLine): void {
    this.#lines.push([line.stream === 'stdout' ? 1 : 2, line.text])
    this.#bytes += line.text.length
    if (this.#bytes > maxBatchBytes) return this.flush()
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.flush())
  }

  flush(): void {
    this.#scheduled = false
    if (this.#lines.length === 0) return
    const lines = this.#lines
    this.#lines = []
    this.#bytes = 0
    this.#send(lines)
  }
}
