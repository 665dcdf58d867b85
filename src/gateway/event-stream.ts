import { StringDecoder } from 'node:string_decoder'

/** An event larger than this is let pass unread: its numbers are lost, and an estimate counts. */
const maxEventBytes = 32 * 1024 * 1024

/** Cuts server-sent events out of a stream, whatever its pieces are, and hands on what they carry. Never throws. */
export class EventStream {
  readonly #onData: (data: string) => void
  readonly #decoder = new StringDecoder('utf8')
  #line: string[] = []
  #lineLength = 0
  #data: string[] = []
  #dataLength = 0

  constructor(onData: (data: string) => void) {
    this.#onData = onData
  }

  write(chunk: Buffer): void {
    let rest = this.#decoder.write(chunk)
    for (let end = rest.indexOf('\n'); end !== -1; end = rest.indexOf('\n')) {
      this.#keep(rest.slice(0, end))
      rest = rest.slice(end + 1)
      this.#endLine()
    }
    this.#keep(rest)
  }

  /** What came last may lack its empty line. */
  end(): void {
    this.#endLine()
    this.#endEvent()
  }

  #keep(part: string): void {
    this.#lineLength += part.length
    if (this.#lineLength <= maxEventBytes) this.#line.push(part)
    else this.#line = []
  }

  #endLine(): void {
    const line = this.#line.join('').replace(/\r$/, '')
    const tooLong = this.#lineLength > maxEventBytes
    this.#line = []
    this.#lineLength = 0
    if (tooLong) return
    if (line === '') return this.#endEvent()
    if (!line.startsWith('data:')) return
    this.#dataLength += line.length
    if (this.#dataLength <= maxEventBytes) this.#data.push(line.slice(line[5] === ' ' ? 6 : 5))
  }

  #endEvent(): void {
    const data = this.#data.join('\n')
    const whole = this.#dataLength <= maxEventBytes
    this.#data = []
    this.#dataLength = 0
    if (data !== '' && whole) this.#onData(data)
  }
}
