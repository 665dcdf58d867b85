import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { Kysely, PostgresDialect } from 'kysely'
import { Client, Pool } from 'pg'
import { fileFault } from '../../model/file-fault.ts'
import { knownMigrations, migrate, migrateTo } from '../migrate.ts'
import {
  BackupUnusable,
  createLineHash,
  endSchema,
  headSchema,
  leftOut,
  tableSchema,
  type BackupContents,
  type BackupHead,
} from './format.ts'

const batchBytes = 1_000_000

/**
 * Puts a backup into an empty database, all or nothing: first in the shape that it was made in, then brought to the one
 * of this version. Throws {@link BackupUnusable}.
 */
export async function loadDatabase(options: {
  readonly connection: string
  readonly path: string
}): Promise<BackupContents> {
  const lines = readLines(options.path)
  const hash = createLineHash()
  const first = await lines.next()
  if (first.done === true) throw damaged('it is empty')
  hash.add(first.value)
  const head = headOf(first.value)
  const pool = new Pool({ connectionString: options.connection, max: 2 })
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  try {
    await migrateTo(db, head.migrations.at(-1) ?? '')
    const rows = await insertAll(options.connection, lines, hash)
    await migrate(db)
    return { head, rows }
  } finally {
    await lines.return()
    await db.destroy()
  }
}

/** Reads the head of a backup alone, to refuse early. Throws {@link BackupUnusable}. */
export async function readBackupHead(path: string): Promise<BackupHead> {
  const lines = readLines(path)
  try {
    const first = await lines.next()
    if (first.done === true) throw damaged('it is empty')
    return headOf(first.value)
  } finally {
    await lines.return()
  }
}

function headOf(line: string): BackupHead {
  const head = headSchema.safeParse(parse(line))
  if (!head.success) throw new BackupUnusable('this is no backup of nightshift')
  const { migrations, version } = head.data
  if (migrations.every((name, index) => knownMigrations[index] === name)) return head.data
  throw new BackupUnusable(
    `the backup was made by nightshift ${version}, whose database has another shape than this version knows; restore it with that version or a newer one`,
  )
}

async function insertAll(
  connection: string,
  lines: AsyncGenerator<string, void>,
  hash: ReturnType<typeof createLineHash>,
): Promise<Record<string, number>> {
  const client = new Client({ connectionString: connection, application_name: 'nightshift restore' })
  await client.connect()
  try {
    await client.query('begin')
    await client.query('set local statement_timeout = 0')
    const keys = await dropForeignKeys(client)
    const known = new Set(await tableNames(client))
    if (known.size > 0) await client.query(`truncate ${[...known].join(', ')}`)
    const inserter = new Inserter(client)
    const rows: Record<string, number> = {}
    let table = ''
    let ended = false
    for await (const line of lines) {
      if (ended) throw damaged('there is more after its end')
      // Rows are most of a backup, and are not for us to read.
      const other = line.startsWith('{"table":') || line.startsWith('{"end":') ? parse(line) : null
      const end = endSchema.safeParse(other)
      if (end.success) {
        ended = true
        await inserter.flush()
        check(end.data, rows, hash.digest())
        continue
      }
      hash.add(line)
      const named = tableSchema.safeParse(other)
      if (named.success && Object.keys(other as object).length === 1) {
        await inserter.flush()
        table = named.data.table
        if (!known.has(table)) throw damaged(`it has a table ${table} that does not belong there`)
        rows[table] = 0
        inserter.table = table
      } else {
        if (table === '') throw damaged('it begins with rows')
        rows[table] = (rows[table] ?? 0) + 1
        await inserter.add(line)
      }
    }
    if (!ended) throw damaged('its end is missing')
    for (const key of keys) await client.query(key)
    await moveSequences(client)
    await client.query('commit')
    return rows
  } finally {
    // Whatever was not committed is gone with the connection.
    await client.end()
  }
}

/** Inserts rows of one table after the other, many in one statement. */
class Inserter {
  table = ''
  readonly #client: Client
  #lines: string[] = []
  #bytes = 0

  constructor(client: Client) {
    this.#client = client
  }

  async add(line: string): Promise<void> {
    this.#lines.push(line)
    this.#bytes += line.length
    if (this.#bytes >= batchBytes) await this.flush()
  }

  async flush(): Promise<void> {
    if (this.#lines.length === 0) return
    const json = `[${this.#lines.join(',')}]`
    this.#lines = []
    this.#bytes = 0
    try {
      await this.#client.query(
        `insert into ${this.table} overriding system value
         select (json_populate_recordset(null::${this.table}, $1::json)).*`,
        [json],
      )
    } catch (error) {
      throw damaged(
        `a row of ${this.table} cannot be taken: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
}

async function tableNames(client: Client): Promise<string[]> {
  const found = await client.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace`,
  )
  return found.rows.map((row) => row.name).filter((name) => !leftOut.has(name))
}

/** Rows come table by table, and within one in no order: what refers to others is checked at the end. */
async function dropForeignKeys(client: Client): Promise<string[]> {
  const found = await client.query<{ drop: string; add: string }>(`
    select format('alter table %s drop constraint %I', conrelid::regclass, conname) as drop,
      format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as add
    from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace`)
  for (const key of found.rows) await client.query(key.drop)
  return found.rows.map((key) => key.add)
}

/** New rows get numbers after those that came. */
async function moveSequences(client: Client): Promise<void> {
  const found = await client.query<{ table: string; column: string }>(`
    select attrelid::regclass::text as table, attname as column from pg_attribute
    join pg_class on pg_class.oid = attrelid
    where attidentity <> '' and relnamespace = current_schema()::regnamespace`)
  for (const { table, column } of found.rows) {
    await client.query(
      `select setval(pg_get_serial_sequence($1, $2), greatest((select max(${column}) from ${table}), 1))`,
      [table, column],
    )
  }
}

function check(
  end: { rows: Readonly<Record<string, number>>; sha256: string },
  rows: Readonly<Record<string, number>>,
  sha256: string,
): void {
  if (end.sha256 !== sha256) throw damaged('its checksum does not fit')
  for (const [table, count] of Object.entries(end.rows)) {
    if (rows[table] !== count)
      throw damaged(`it should have ${count} rows of ${table} and has ${rows[table] ?? 0}`)
  }
}

async function* readLines(path: string): AsyncGenerator<string, void> {
  const file = createReadStream(path)
  const text = file.pipe(createGunzip()).setEncoding('utf8')
  // A pipe does not pass on what went wrong before it.
  file.on('error', (error) => text.destroy(error))
  // A line can be large: its pieces are put together once.
  let pieces: string[] = []
  try {
    // Not by node:readline, which throws at nobody when the file breaks off while its reader is busy with a line.
    for await (const chunk of text as AsyncIterable<string>) {
      const [first = '', ...others] = chunk.split('\n')
      pieces.push(first)
      for (const other of others) {
        yield pieces.join('')
        pieces = [other]
      }
    }
    const last = pieces.join('')
    if (last !== '') yield last
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') {
      throw new BackupUnusable(`the backup ${path} cannot be read: ${fileFault(error)}`)
    }
    throw damaged(error instanceof Error ? error.message : String(error))
  } finally {
    file.destroy()
    text.destroy()
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}

function damaged(how: string): BackupUnusable {
  return new BackupUnusable(`the backup is damaged: ${how}; nothing was restored`)
}
