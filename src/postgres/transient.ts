/**
 * SQLSTATE codes, or their first two characters, of faults that pass by themselves: lost connections (08), lack of
 * resources (53), operator's interventions such as a restart (57P), conflicts between transactions (40), a transaction
 * that stood idle for too long (25P03), a lock not had in time (55P03), a statement that took too long (57014).
 */
const transientCodes = ['08', '53', '57P', '40001', '40P01', '25P03', '55P03', '57014']

const networkCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  // The socket of a server that is not there at this moment.
  'ENOENT',
])

// pg has no codes for these.
const messages =
  /Connection terminated|timeout exceeded when trying to connect|connection error and is not queryable|timeout expired/

/** Whether a rejection of a store is the database's trouble of the moment: the same call may work later. */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof AggregateError && error.errors.some(isTransient)) return true
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (networkCodes.has(code) || transientCodes.some((prefix) => code.startsWith(prefix))) return true
  return messages.test(error.message) || (error.cause !== undefined && isTransient(error.cause))
}

/** Whether two transactions stood in each other's way: nothing was written, and the loser may begin anew at once. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '40001' || error.code === '40P01')
}
