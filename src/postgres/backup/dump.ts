import { createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { Client } from 'pg'
import { createLineHash, leftOut, type BackupContents, type BackupHead } from './format.ts'

const pageRows = 500
/** Of tables with files in their rows, one may fill the memory. */
const pageRowsOfFiles = 1

/**
 * Writes all tables of a database into a file, as they are in one moment, while others go on working. The file appears
 * under its name only when it is whole; nobody but its user can read it.
 */
export async function dumpDatabase(options: {
  readonly connection: string
  readonly path: string
  readonly version: string
}): Promise<BackupContents> {
  const client = new Client({ connectionString: options.connection, application_name: 'nightshift backup' })
  const half = `${options.path}.${process.pid}.half`
  await client.connect()
  try {
    // One snapshot for all tables. It takes no lock that anybody waits for.
    await client.query('begin transaction isolation level repeatable read read only')
    await client.query('set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0')
    const head = await readHead(client, options.version)
    const rows: Record<string, number> = {}
    const lines = Readable.from(withLineEnds(allLines(client, head, rows)))
    await pipeline(lines, createGzip(), createWriteStream(half, { flags: 'wx', mode: 0o600 }))
    await settle(half, options.path)
    return { head, rows }
  } finally {
    await rm(half, { force: true })
    await client.end()
  }
}

async function readHead(client: Client, version: string): Promise<BackupHead> {
  const done = await client.query<{ name: string }>('select name from kysely_migration order by name')
  return {
    nightshift: 'backup',
    format: 1,
    version,
    createdAt: new Date().toISOString(),
    migrations: done.rows.map((row) => row.name),
  }
}

async function* allLines(
  client: Client,
  head: BackupHead,
  rows: Record<string, number>,
): AsyncGenerator<string, void> {
  const hash = createLineHash()
  const hashed = (line: string) => {
    hash.add(line)
    return line
  }
  yield hashed(JSON.stringify(head))
  for (const { table, files } of await tables(client)) {
    yield hashed(JSON.stringify({ table }))
    let count = 0
    await client.query(
      `declare rows no scroll cursor for select row_to_json(each)::text as line from ${table} each`,
    )
    for (;;) {
      const page = await client.query<{ line: string }>(
        `fetch ${files ? pageRowsOfFiles : pageRows} from rows`,
      )
      if (page.rows.length === 0) break
      count += page.rows.length
      for (const { line } of page.rows) yield hashed(line)
    }
    await client.query('close rows')
    rows[table] = count
  }
  yield JSON.stringify({ end: true, rows, sha256: hash.digest() })
}

async function* withLineEnds(lines: AsyncGenerator<string, void>): AsyncGenerator<string, void> {
  for await (const line of lines) yield `${line}\n`
}

/** All tables, and whether their rows hold files. */
async function tables(client: Client): Promise<{ table: string; files: boolean }[]> {
  const found = await client.query<{ table: string; files: boolean }>(`
    select relname as table, exists (
      select from pg_attribute where attrelid = pg_class.oid and atttypid = 'bytea'::regtype and attnum > 0
        and relname not in ('tokens', 'sessions')) as files
    from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace order by relname`)
  return found.rows.filter(({ table }) => !leftOut.has(table))
}

/** The file, and its name, are on the disk before anybody is told that there is a backup. */
async function settle(half: string, path: string): Promise<void> {
  const file = await open(half)
  await file.sync()
  await file.close()
  await rename(half, path)
  const folder = await open(dirname(path))
  await folder.sync().finally(() => folder.close())
}
