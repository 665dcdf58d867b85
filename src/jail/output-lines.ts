const newline = 0x0a
const carriageReturn = 0x0d
/** Bytes of one line that are told at once; a longer line comes in parts. */
export const maxPartBytes = 64 * 1024

/** Cuts a stream of bytes into lines. Text that a carriage return overwrites is left out, as on a terminal. */
export class OutputLines {
  readonly #onLine: (text: string) => void
  #rest: Buffer[] = []
  #restBytes = 0

  constructor(onLine: (text: string) => void) {
    this.#onLine = onLine
  }

  write(chunk: Buffer): void {
    let start = 0
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#keep(chunk.subarray(start, end))
      this.#tell(this.#take())
      start = end + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
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

  #tell(bytes: Buffer): void {
    let end = bytes.length
    while (end > 0 && bytes[end - 1] === carriageReturn) end--
    const start = end === 0 ? 0 : bytes.lastIndexOf(carriageReturn, end - 1) + 1
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
