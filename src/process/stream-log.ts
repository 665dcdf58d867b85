import type { Writable } from 'node:stream'
import type { Log } from '../ports/log.ts'

type Level = 'info' | 'warn' | 'error'

/** One JSON line an event on a stream, with secrets masked; levels below `least` are left out. */
export function createStreamLog(stream: Writable, least: Level, mask: (text: string) => string): Log {
  const levels: readonly Level[] = ['info', 'warn', 'error']
  const write =
    (level: Level) =>
    (message: string, facts: Readonly<Record<string, unknown>> = {}) => {
      if (levels.indexOf(level) < levels.indexOf(least)) return
      const line = { time: new Date().toISOString(), level, message, ...facts }
      stream.write(`${mask(JSON.stringify(line, plain))}\n`)
    }
  return { info: write('info'), warn: write('warn'), error: write('error') }
}

// An Error has no fields of its own that JSON would show.
function plain(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (!(value instanceof Error)) return value
  return {
    name: value.name,
    message: value.message,
    cause: value.cause,
    stack: value.stack?.split('\n').slice(1, 4),
  }
}
