import { describe, expect, it } from 'vitest'
import { DatabaseUnusable, openDatabase } from '../../src/postgres/database.ts'
import { DatabaseTooNew } from '../../src/postgres/migrate.ts'
import { isTransient } from '../../src/postgres/transient.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { quiet } from '../support/quiet.ts'
import { newTask, submitAll, worker } from './sample.ts'

async function withDatabase(use: (test: TestDatabase) => Promise<void>): Promise<void> {
  const test = await testDatabase()
  try {
    await use(test)
  } finally {
    await test.close()
  }
}

const open = (url: string) => openDatabase(url, { log: quiet, embedded: false })

describe('openDatabase', () => {
  it('migrates an empty database once, however many open it at the same moment', () =>
    withDatabase(async (test) => {
      await test.query('drop schema public cascade')
      await test.query('create schema public')
      const opened = await Promise.all(Array.from({ length: 5 }, () => open(test.url)))
      await Promise.all(opened.map((database) => database.close()))
      const done = (await test.query('select name from kysely_migration')).map((row) => row['name'])
      expect(done).toContain('0001-queue')
      expect(new Set(done).size).toBe(done.length)
      expect(await test.query('select * from settings')).toHaveLength(1)
    }))

  it('refuses a database that a newer version has used, and names what it does not know', () =>
    withDatabase(async (test) => {
      await test.query("insert into kysely_migration values ('9999-future', now()::text)")
      await expect(open(test.url)).rejects.toThrow(DatabaseTooNew)
      await expect(open(test.url)).rejects.toThrow(/9999-future.*update/)
    }))

  it('says what to do where the database cannot be reached, without its password', async () => {
    const url = 'postgresql://someone:secret-word@127.0.0.1:1/none'
    const error = await open(url).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(DatabaseUnusable)
    expect(String(error)).toMatch(/ECONNREFUSED.*DATABASE_URL/)
    expect(JSON.stringify(error) + String(error)).not.toContain('secret-word')
    expect(isTransient(error)).toBe(true)
  })

  it('of our own refuses to run without fsync; another’s is warned of', () =>
    withDatabase(async (test) => {
      await test.query(`alter database ${new URL(test.url).pathname.slice(1)} set synchronous_commit = off`)
      const warnings: string[] = []
      const log = { ...quiet, warn: (message: string) => void warnings.push(message) }
      await expect(openDatabase(test.url, { log, embedded: true })).rejects.toThrow(/synchronous_commit/)
      const database = await openDatabase(test.url, { log, embedded: false })
      await database.close()
      expect(warnings).toEqual([expect.stringMatching(/synchronous_commit off, and can lose/)])
    }))
})

describe('a connection that the server ends', () => {
  it('costs at most the calls of that moment, which say that they may be repeated', () =>
    withDatabase(async (test) => {
      await submitAll(test.store, [newTask(), newTask()])
      const kill = () =>
        test.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'nightshift' and datname = current_database()",
        )
      const calls = await Promise.allSettled([
        ...Array.from({ length: 10 }, () => test.store.sweep()),
        kill(),
        ...Array.from({ length: 10 }, () => test.store.stats()),
      ])
      for (const call of calls) if (call.status === 'rejected') expect(isTransient(call.reason)).toBe(true)
      await kill()
      let claimed = null
      for (let attempt = 0; claimed === null && attempt < 20; attempt++) {
        claimed = await test.store.claim(worker()).catch((error: unknown) => {
          expect(isTransient(error)).toBe(true)
          return null
        })
      }
      expect(claimed).not.toBeNull()
    }))

  it('in the middle of a claim does not keep the others from claiming', () =>
    withDatabase(async (test) => {
      await submitAll(test.store, [newTask()])
      // A worker that was stopped while it held the claim lock.
      const frozen = await test.database.db.startTransaction().execute()
      await frozen.executeQuery({
        sql: "select set_config('idle_in_transaction_session_timeout', '200', true), pg_advisory_xact_lock(7450931846)",
        parameters: [],
        query: { kind: 'RawNode', sqlFragments: [], parameters: [] },
        queryId: { queryId: 'frozen' },
      })
      expect(await test.store.claim(worker())).not.toBeNull()
      await frozen
        .rollback()
        .execute()
        .catch(() => {})
    }))
})

function withCode(code: string): Error {
  return Object.assign(new Error('x'), { code })
}

describe('isTransient', () => {
  it('tells the database’s troubles from mistakes', () => {
    for (const code of ['57P01', '08006', '53300', '40001', '40P01', '25P03', 'ECONNREFUSED', 'ENOENT']) {
      expect(isTransient(withCode(code))).toBe(true)
      expect(isTransient(new Error('outer', { cause: withCode(code) }))).toBe(true)
      expect(isTransient(new AggregateError([withCode(code)]))).toBe(true)
    }
    for (const error of [withCode('23505'), withCode('42601'), new Error('x'), null, 'ECONNREFUSED']) {
      expect(isTransient(error)).toBe(false)
    }
  })
})
