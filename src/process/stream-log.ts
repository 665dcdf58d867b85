import type { Writable } from 'node:stream'
import { pino } from 'pino'
import type { Log } from '../ports/log.ts'

/** One JSON line an event on a stream, with secrets masked in every value; levels below `least` are left out. */
export function createStreamLog(
  stream: Writable,
  least: 'debug' | 'info' | 'warn' | 'error',
  mask: (text: string) => string,
): Log {
  const logger = pino(
    {
      level: least,
      messageKey: 'message',
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: {
        level: (level) => ({ level }),
        log: (facts) => toPlain(facts) as Record<string, unknown>,
      },
      hooks: { streamWrite: mask },
    },
    stream,
  )
  const write =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, facts: Readonly<Record<string, unknown>> = {}) =>
      logger[level](facts, message)
  return { info: write('info'), warn: write('warn'), error: write('error') }
}

function toPlain(facts: Readonly<Record<string, unknown>>): unknown {
  return JSON.parse(JSON.stringify(facts, plain))
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
