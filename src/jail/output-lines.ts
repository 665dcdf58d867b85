const newline = 0x0a
const carriageReturn = 0x0d
/** Bytes of one line that are told at once; a longer line comes in parts. */
export const maxPartBytes = 64 * 1024

/**
 * Cuts a stream of bytes into lines. Text that a carriage return overwrites is left out, as on a terminal. With `many`,
 * what is whole of a chunk is told at once, its lines with line ends between: a million lines cost no million calls.
 */
export class OutputLines {
  readonly #onLine: (text: string) => void
  readonly #many: boolean
  #rest: Buffer[] = []
  #restBytes = 0

  constructor(onLine: (text: string) => void, many = false) {
    this.#onLine = onLine
    this.#many = many
  }

  write(chunk: Buffer): void {
    let start = this.#many ? this.#tellMany(chunk, this.#finishLine(chunk)) : 0
    for (let end = chunk.indexOf(newline, start); end !== -1; end = chunk.indexOf(newline, start)) {
      if (this.#restBytes === 0 && end - start <= maxPartBytes) this.#tell(chunk, start, end)
      else {
        this.#keep(chunk.subarray(start, end))
        this.#tell(this.#take())
      }
      start = end + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
  }

  /** Tells the line that the chunks before began; answers where the next one starts. */
  #finishLine(chunk: Buffer): number {
    const end = this.#restBytes === 0 ? -1 : chunk.indexOf(newline)
    if (end === -1) return 0
    this.#keep(chunk.subarray(0, end))
    this.#tell(this.#take())
    return end + 1
  }

  /** Tells the whole lines of a chunk from `start` on that need nothing done to them; answers where the rest starts. */
  #tellMany(chunk: Buffer, start: number): number {
    const end = chunk.lastIndexOf(newline)
    const plain = this.#restBytes === 0 && chunk.length <= maxPartBytes && !chunk.includes(carriageReturn)
    if (end < start || !plain) return start
    this.#onLine(chunk.toString('utf8', start, end))
    return end + 1
  }

  /** The stream has ended: what is left is a line too. */
  end(): void {
    if (this.#restBytes > 0) this.#tell(this.#take())
  }

  #keep(piece: Buffer): void {
    this.#rest.push(piece)
    this.#restBytes += piece.length
    while (this.#restBytes > maxPartBytes) {
      const all = this.#take()
      const cut = characterStart(all, maxPartBytes)
      this.#tell(all.subarray(0, cut))
      this.#rest = [all.subarray(cut)]
      this.#restBytes = all.length - cut
    }
  }

  #take(): Buffer {
    const all = this.#rest.length === 1 ? this.#rest[0] : undefined
    const taken = all ?? Buffer.concat(this.#rest)
    this.#rest = []
    this.#restBytes = 0
    return taken
  }

  #tell(bytes: Buffer, from = 0, to = bytes.length): void {
    let end = to
    while (end > from && bytes[end - 1] === carriageReturn) end--
    const start = end === from ? from : Math.max(from, bytes.lastIndexOf(carriageReturn, end - 1) + 1)
    this.#onLine(bytes.toString('utf8', start, end))
  }
}

/** The place at or before `at` where a UTF-8 character starts, so that none is cut in two. */
export function characterStart(bytes: Buffer, at: number): number {
  for (let place = at; place > at - 4 && place > 0; place--) {
    if (((bytes[place] ?? 0) & 0xc0) !== 0x80) return place
  }
  return at
}
