/** What a command writes to: the process's own streams, or a test's. */
export type OutputStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export interface TerminalOptions {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  /** Of the person: NO_COLOR and TERM count. */
  readonly environment: NodeJS.ProcessEnv
}

type Colour = 'green' | 'red' | 'yellow' | 'grey' | 'bold'
const codes: Readonly<Record<Colour, string>> = {
  green: '32',
  red: '31',
  yellow: '33',
  grey: '90',
  bold: '1',
}

/** Data on stdout, talk on stderr. */
export class Terminal {
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly #plain: boolean
  readonly #broken = new AbortController()

  constructor(options: TerminalOptions) {
    this.stdout = options.stdout
    this.stderr = options.stderr
    const noColour = options.environment['NO_COLOR'] ?? ''
    this.#plain = noColour !== '' || options.environment['TERM'] === 'dumb'
    // Whoever read it has gone, as in `nightshift ls | head -1`: no reason to crash.
    this.stdout.on('error', () => this.#broken.abort())
    this.stderr.on('error', () => {})
  }

  /** Aborts when nobody reads stdout any more. */
  get broken(): AbortSignal {
    return this.#broken.signal
  }

  /** Columns of a line of data; 80 where it does not go to a terminal. */
  get width(): number {
    return this.stdout.isTTY === true ? (this.stdout.columns ?? 80) : 80
  }

  /** Writes data as it is; resolves when it is taken, so that a slow reader slows the writer. */
  write(data: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (this.broken.aborted) resolve()
      else this.stdout.write(data, () => resolve())
    })
  }

  /** One line, or several, of data. */
  print(text: string): Promise<void> {
    return this.write(`${text}\n`)
  }

  /** The one JSON value of `--json`. */
  printJson(value: unknown): Promise<void> {
    return this.print(JSON.stringify(value))
  }

  /** One line of talk. */
  say(text: string): void {
    this.stderr.write(`${text}\n`)
  }

  /** Colours text for one of the streams, where it is a terminal and the person did not say no. */
  paint(colour: Colour, text: string, stream: 'stdout' | 'stderr' = 'stdout'): string {
    if (this.#plain || this[stream].isTTY !== true) return text
    return `\u001b[${codes[colour]}m${text}\u001b[0m`
  }
}
