import { createHash } from 'node:crypto'
import { sql, type PostgresPool, type PostgresPoolClient } from 'kysely'
import type { Pool, PoolClient } from 'pg'

const mark = '/* prepared */'

/**
 * Put in front of a statement, it makes each connection plan the statement once and not every time: worth it for the
 * few that run all the time, whose text is always the same. Planning takes longer than running them.
 */
export const prepared = sql.raw(mark)

/** The pool, as kysely uses one, with marked statements prepared: kysely itself gives statements no name. */
export function preparing(pool: Pool): PostgresPool {
  const names = new Map<string, string>()
  const nameOf = (text: string): string => {
    const known = names.get(text)
    if (known !== undefined) return known
    const name = createHash('sha256').update(text).digest('hex').slice(0, 32)
    names.set(text, name)
    return name
  }
  const known = new WeakMap<PoolClient, PostgresPoolClient>()
  return {
    connect: async () => {
      const client = await pool.connect()
      const wrapped = known.get(client) ?? wrap(client, nameOf)
      known.set(client, wrapped)
      return wrapped
    },
    end: () => pool.end(),
  }
}

function wrap(client: PoolClient, nameOf: (text: string) => string): PostgresPoolClient {
  const plain: PostgresPoolClient = client
  const query = (text: string, values: readonly unknown[]) =>
    text.trimStart().startsWith(mark)
      ? client.query({ name: nameOf(text), text, values: [...values] })
      : plain.query(text, values)
  // Cursors, the other thing that kysely's type names, are not used.
  return { query: query as PostgresPoolClient['query'], release: () => client.release() }
}
