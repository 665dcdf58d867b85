import { randomUUID } from 'node:crypto'
import { inject } from 'vitest'
import { openDatabase, type Database } from '../../src/postgres/database.ts'
import { openStore, type PostgresTaskStore, type StoreOptions } from '../../src/postgres/task-store.ts'
import { openTokenStore } from '../../src/postgres/token-store.ts'
import type { TokenStore } from '../../src/ports/token-store.ts'
import { templateName } from './database-server.ts'
import { onDatabase, withDatabase } from './database-url.ts'
import { quiet } from './quiet.ts'

/** A fresh, migrated, empty database of its own, with the stores over it. */
export interface TestDatabase {
  /** For DATABASE_URL of another process. */
  readonly url: string
  readonly database: Database
  readonly store: PostgresTaskStore
  readonly tokens: TokenStore
  /** One more store over connections of its own, as another process has them. Closed with the rest. */
  another(options?: Partial<StoreOptions>): Promise<PostgresTaskStore>
  /** Runs one statement, for looking behind the store's back. */
  query(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>
  /** Ends all connections and drops the database. */
  close(): Promise<void>
}

/** Makes a {@link TestDatabase}; close it in `afterAll` or `afterEach`. The options are those of the store. */
export async function testDatabase(options: Partial<StoreOptions> = {}): Promise<TestDatabase> {
  const server = inject('databaseServer')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await onDatabase(server, `create database ${name} template ${templateName}`)
  const url = withDatabase(server, name)
  const closers: (() => Promise<void>)[] = [
    async () => void (await onDatabase(server, `drop database ${name} with (force)`)),
  ]
  const open = async (storeOptions: Partial<StoreOptions>) => {
    const database = await openDatabase(url, { log: quiet, embedded: true })
    closers.push(database.close)
    const store = openStore(database, { log: quiet, ...storeOptions })
    closers.push(store.close)
    return { database, store }
  }
  const close = async () => {
    for (const closer of closers.splice(0).toReversed()) await closer()
  }
  try {
    const { database, store } = await open(options)
    return {
      url,
      database,
      store,
      tokens: openTokenStore(database),
      another: async (other = {}) => (await open({ ...options, ...other })).store,
      query: (statement) => onDatabase(url, statement),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
