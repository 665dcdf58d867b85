import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import type { Log } from '../../ports/log.ts'
import { makeHome } from '../embedded/home.ts'
import { openEmbedded } from '../embedded/open-embedded.ts'
import { BackupUnusable, type BackupContents } from './format.ts'
import { loadDatabase, readBackupHead } from './load.ts'

/**
 * Restores a backup into a home that has nothing yet, or into a database without tables where one is named. What was
 * begun is taken away again where it fails. Throws {@link BackupUnusable}.
 */
export async function restoreBackup(options: {
  readonly home: string
  /** `null`: the embedded database of the home. */
  readonly databaseUrl: string | null
  readonly path: string
  readonly log: Log
}): Promise<BackupContents> {
  const { home, databaseUrl, path, log } = options
  await readBackupHead(path)
  if (databaseUrl !== null) {
    await refuseTables(databaseUrl)
    return loadDatabase({ connection: databaseUrl, path })
  }
  await makeHome(home)
  if ((await readdir(home)).length > 0) {
    throw new BackupUnusable(
      `${home} is not empty: restore into a NIGHTSHIFT_HOME that does not exist yet, or move this one away`,
    )
  }
  const embedded = await openEmbedded({ home, log })
  let restored = false
  try {
    const contents = await loadDatabase({ connection: embedded.connection, path })
    restored = true
    return contents
  } finally {
    await embedded.close()
    // It was empty before: whatever is there now was begun here.
    if (!restored) {
      for (const name of await readdir(home)) await rm(join(home, name), { recursive: true, force: true })
    }
  }
}

async function refuseTables(connection: string): Promise<void> {
  const client = new Client({ connectionString: connection })
  await client.connect()
  try {
    const found = await client.query(
      "select from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace limit 1",
    )
    if (found.rows.length > 0) {
      throw new BackupUnusable('the database of DATABASE_URL has tables already: restore into an empty one')
    }
  } finally {
    await client.end()
  }
}
