import { ListenError } from '../api/listen.ts'
import { ServerProblem, ServerUnreachable } from '../client/failures.ts'
import { ConfigurationError } from '../config/settings.ts'
import { flagOf } from './submission-flags.ts'

/** Exit codes of the contract. */
export const exitCodes = { good: 0, badOutcome: 1, usage: 2, machinery: 3, interrupted: 130 } as const

/** What was typed cannot be done: exit code 2. One line a fault. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  /** More facts for `--json`. */
  readonly facts: Readonly<Record<string, unknown>>

  constructor(message: string, options: ErrorOptions & { facts?: Readonly<Record<string, unknown>> } = {}) {
    super(message, options)
    this.facts = options.facts ?? {}
  }
}

/** How a failed command is told. */
export interface Failure {
  readonly exitCode: number
  /** One or more lines. */
  readonly message: string
  /** More facts for `--json`. */
  readonly facts: Readonly<Record<string, unknown>>
}

/** Turns whatever a command threw into an exit code and words. */
export function failureOf(error: unknown): Failure {
  if (error instanceof UsageError) {
    return { exitCode: exitCodes.usage, message: error.message, facts: error.facts }
  }
  if (error instanceof ConfigurationError) {
    return { exitCode: exitCodes.usage, message: error.message, facts: {} }
  }
  if (error instanceof ListenError) {
    return { exitCode: exitCodes.usage, message: listenMessage(error), facts: { code: error.code } }
  }
  if (error instanceof ServerUnreachable) {
    return { exitCode: exitCodes.machinery, message: error.message, facts: { url: error.url } }
  }
  if (error instanceof ServerProblem) {
    const { status, errors } = error
    const lines = errors.map(({ field, message }) => `${flagOf(field)}: ${message}`)
    const exitCode = status >= 500 ? exitCodes.machinery : exitCodes.usage
    const message = lines.length === 0 ? error.message : [...new Set(lines)].join('\n')
    return { exitCode, message, facts: { status, ...(errors.length === 0 ? {} : { errors }) } }
  }
  const message = error instanceof Error && error.message !== '' ? error.message : `failed: ${String(error)}`
  return { exitCode: exitCodes.machinery, message, facts: {} }
}

function listenMessage(error: ListenError): string {
  const where = `${error.host} port ${error.port}`
  switch (error.code) {
    case 'EADDRINUSE':
      return `${where} is in use: end what listens there, or take another with --port (0: any that is free)`
    case 'EACCES':
      return `${where} may only be used by root: take a port from 1024 on with --port`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `this machine has no address ${error.host}: give another with --host`
    default:
      return error.message
  }
}
