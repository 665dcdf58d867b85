import type { OutputStream } from './terminal.ts'

/** Lines at the bottom of a terminal that are drawn again and again; what is told for good goes above them. */
export interface LiveRegion {
  /** Columns that a line may have. */
  readonly width: number
  draw(): void
  above(line: string): void
  /** Takes the lines away and stops. */
  close(): void
}

const redrawMs = 500

/** `lines` answers what is to be seen now, each at most `width` columns wide. */
export function createLiveRegion(
  stream: OutputStream,
  lines: (width: number) => readonly string[],
): LiveRegion {
  let drawn = 0
  // A line as wide as the terminal would break on some, and then one more row has to be erased.
  const width = () => Math.max(20, (stream.columns ?? 80) - 1)
  const erase = () => (drawn === 0 ? '' : `\u001b[${drawn}A\r\u001b[J`)
  const region = () => {
    const all = lines(width())
    const room = Math.max(1, (stream.rows ?? 24) - 2)
    const shown =
      all.length <= room ? all : [...all.slice(0, room - 1), `… and ${all.length - room + 1} more`]
    return shown
  }
  const paint = (before: string) => {
    const shown = region()
    stream.write(`${erase()}${before}${shown.map((line) => `${line}\n`).join('')}`)
    drawn = shown.length
  }
  const timer = setInterval(() => paint(''), redrawMs)
  timer.unref()
  return {
    get width() {
      return width()
    },
    draw: () => paint(''),
    above: (line) => paint(`${line}\n`),
    close() {
      clearInterval(timer)
      stream.write(erase())
      drawn = 0
    },
  }
}
