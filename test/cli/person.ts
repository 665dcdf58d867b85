import { Readable, Writable } from 'node:stream'
import { runCli } from '../../src/cli/run-cli.ts'
import type { OutputStream } from '../../src/cli/terminal.ts'
import type { Settings } from '../../src/config/settings.ts'
import type { System } from '../../src/core/system.ts'

export interface PersonOptions {
  readonly environment?: Readonly<Record<string, string>>
  /** Opens a system; without it, opening fails, as on a machine without a database. */
  readonly open?: (settings: Settings) => Promise<System>
  readonly stdin?: string
  /** The streams go to a terminal of this many columns. */
  readonly terminal?: { readonly columns: number; readonly rows?: number }
  /** Reads nothing of stdout: the pipe breaks at the first write. */
  readonly brokenPipe?: boolean
}

/** A command that a person typed. */
export interface Typed {
  readonly stdout: () => string
  readonly stderr: () => string
  readonly exitCode: Promise<number>
  /** Presses Ctrl-C. */
  readonly interrupt: () => void
}

/** Types a command, in process. */
export function type(argv: readonly string[], options: PersonOptions = {}): Typed {
  const stdout = capture(options)
  const stderr = capture({ ...options, brokenPipe: false })
  const listeners = new Set<(signal: 'SIGINT' | 'SIGTERM') => void>()
  const exitCode = runCli({
    argv,
    environment: { HOME: '/nonexistent', ...options.environment },
    stdin: Readable.from([Buffer.from(options.stdin ?? '')]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    restore: () => Promise.reject(new Error('the database cannot be opened')),
    open: options.open ?? (() => Promise.reject(new Error('the database cannot be opened'))),
    handTools: () => Promise.reject(new Error('there is no checkout in hand')),
    signals: {
      subscribe(listener) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    },
    version: '1.2.3',
  })
  return {
    stdout: stdout.text,
    stderr: stderr.text,
    exitCode,
    interrupt: () => {
      for (const listener of listeners) listener('SIGINT')
    },
  }
}

/** Types a command and waits for its end. */
export async function typed(argv: readonly string[], options: PersonOptions = {}) {
  const command = type(argv, options)
  const exitCode = await command.exitCode
  return { exitCode, stdout: command.stdout(), stderr: command.stderr() }
}

function capture(options: PersonOptions): { stream: OutputStream; text: () => string } {
  let text = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (options.brokenPipe === true) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
        return
      }
      text += chunk.toString('utf8')
      done()
    },
  })
  const { terminal } = options
  const facts =
    terminal === undefined ? {} : { isTTY: true, columns: terminal.columns, rows: terminal.rows ?? 24 }
  return { stream: Object.assign(stream, facts), text: () => text }
}
