import { Kysely, PostgresDialect, sql } from 'kysely'
import { Pool } from 'pg'
import type { Log } from '../ports/log.ts'
import { migrate } from './migrate.ts'
import { preparing } from './prepared.ts'
import type { Schema } from './schema.ts'

/** An opened database, migrated. */
export interface Database {
  readonly db: Kysely<Schema>
  /** The URL it was opened with, for connections that must be one's own. */
  readonly connection: string
  /** Ends all connections. Idempotent. */
  close(): Promise<void>
}

/** The database cannot be used as it is set up. The message says what to do, and never holds its password. */
export class DatabaseUnusable extends Error {
  override readonly name = 'DatabaseUnusable'
}

export interface DatabaseOptions {
  readonly log: Log
  /** It is ours: settings that could lose data are an error, not a warning. */
  readonly embedded: boolean
  /** Connections at once. Default 10. */
  readonly connections?: number
}

// Longer than any statement of ours takes; shorter than a person waits.
const statementTimeoutMs = 30_000
// A worker that is stopped in the middle of a claim holds everyone's lock: it loses its connection after this.
const idleInTransactionMs = 10_000
const connectTimeoutMs = 10_000

/**
 * Opens a PostgreSQL (15 or later) and migrates it. Throws {@link DatabaseUnusable} where it cannot be reached or could
 * lose what it confirmed, and `DatabaseTooNew`.
 */
export async function openDatabase(connection: string, options: DatabaseOptions): Promise<Database> {
  const pool = new Pool({
    connectionString: connection,
    application_name: 'nightshift',
    max: options.connections ?? 10,
    statement_timeout: statementTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
  })
  // An idle connection that breaks would end this process; the next query gets a new one.
  pool.on('error', (error) => options.log.warn('a database connection broke', { error: error.message }))
  // The pool does not listen to those in use: one that breaks between two statements would end this process, too.
  pool.on('connect', (client) => client.on('error', () => {}))
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: preparing(pool) }) })
  let closing: Promise<void> | null = null
  const close = () => (closing ??= db.destroy())
  try {
    await judgeServer(db, options)
    await migrate(db)
  } catch (error) {
    await close()
    throw error
  }
  return { db, connection, close }
}

const oldestVersion = 150_000
const durable = ['fsync', 'full_page_writes', 'synchronous_commit'] as const

async function judgeServer(db: Kysely<Schema>, options: DatabaseOptions): Promise<void> {
  const asked = await sql<Record<(typeof durable)[number] | 'encoding' | 'version', string>>`
    select current_setting('fsync') as fsync,
      current_setting('full_page_writes') as full_page_writes,
      current_setting('synchronous_commit') as synchronous_commit,
      current_setting('server_encoding') as encoding,
      current_setting('server_version_num') as version`
    .execute(db)
    .catch((cause: unknown) => {
      const said = cause instanceof Error ? cause.message || cause.name : String(cause)
      throw new DatabaseUnusable(`the database cannot be reached (${said}); look at DATABASE_URL`, { cause })
    })
  const found = asked.rows[0]
  if (found === undefined) throw new DatabaseUnusable('the database gave no answer; look at DATABASE_URL')
  if (Number(found.version) < oldestVersion) {
    throw new DatabaseUnusable('the database is older than PostgreSQL 15; use a newer one')
  }
  if (found.encoding !== 'UTF8') {
    throw new DatabaseUnusable(`the database holds ${found.encoding}; make one with encoding UTF8`)
  }
  const off = durable.filter((name) => found[name] === 'off')
  if (off.length === 0) return
  const fault = `the database runs with ${off.join(', ')} off, and can lose tasks that were confirmed`
  if (options.embedded) throw new DatabaseUnusable(`${fault}; stop it and start it again`)
  options.log.warn(fault, { off })
}
