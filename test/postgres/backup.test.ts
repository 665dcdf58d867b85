import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { randomUUID } from 'node:crypto'
import { Kysely, PostgresDialect } from 'kysely'
import { Pool } from 'pg'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { dumpDatabase } from '../../src/postgres/backup/dump.ts'
import { BackupUnusable } from '../../src/postgres/backup/format.ts'
import { loadDatabase } from '../../src/postgres/backup/load.ts'
import { openDatabase } from '../../src/postgres/database.ts'
import { migrateTo } from '../../src/postgres/migrate.ts'
import { openStore } from '../../src/postgres/task-store.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { onDatabase, withDatabase } from '../support/database-url.ts'
import { quiet } from '../support/quiet.ts'
import { newTask, submitAll, worker } from './sample.ts'

let test: TestDatabase
let folder: string
let file: string
const made: string[] = []

beforeEach(async () => {
  test = await testDatabase()
  folder = await mkdtemp(join(tmpdir(), 'nightshift-backup-'))
  file = join(folder, 'night.backup')
})
afterEach(async () => {
  await test.close()
  for (const name of made.splice(0)) {
    await onDatabase(inject('databaseServer'), `drop database ${name} with (force)`)
  }
  await rm(folder, { recursive: true, force: true })
})

/** A database without anything, not even tables. */
async function emptyDatabase(): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await onDatabase(inject('databaseServer'), `create database ${name}`)
  made.push(name)
  return withDatabase(inject('databaseServer'), name)
}

const dump = () => dumpDatabase({ connection: test.url, path: file, version: '1.0.0' })

/** Every row of every table as text, but for what belongs to processes. */
async function everything(url: string): Promise<Record<string, unknown>> {
  const tables = await onDatabase(
    url,
    `select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
     and relname not in ('workers', 'kysely_migration', 'kysely_migration_lock') order by 1`,
  )
  const all: Record<string, unknown> = {}
  for (const { relname } of tables) {
    const rows = await onDatabase(url, `select each::text as row from ${String(relname)} each order by 1`)
    all[String(relname)] = rows.map(({ row }) => row)
  }
  return all
}

async function fill(): Promise<void> {
  const { store } = test
  const [first] = await submitAll(store, [
    newTask({ prompt: 'Ünïcödé \u{1f319} "quotes" \\ and\nlines' }),
    newTask(),
  ])
  await submitAll(store, [newTask({ needs: [first ?? ''] })])
  const claimed = await store.claim(worker())
  if (claimed === null) throw new Error('nothing to claim')
  await store.record(claimed.lease, [
    {
      type: 'output',
      step: 'agent',
      text: 'line\n{"table":"tasks"}\n',
      data: { big: 9_007_199_254_740_991 },
    },
  ])
  await test.tokens.create('person')
  await test.query("insert into diffs values ('X', '\\x1f8b00ff'), ('Y', '\\x')")
}

describe('a backup', () => {
  it('holds every row of every table exactly, and a restored database goes on from there', async () => {
    await fill()
    const contents = await dump()
    expect(contents.rows).toMatchObject({ tasks: 3, task_needs: 1, tokens: 1, diffs: 2 })
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const url = await emptyDatabase()
    const restored = await loadDatabase({ connection: url, path: file })
    expect(restored.rows).toEqual(contents.rows)
    expect(await everything(url)).toEqual(await everything(test.url))

    const database = await openDatabase(url, { log: quiet, embedded: true })
    const store = openStore(database, { log: quiet })
    try {
      await submitAll(store, [newTask()])
      const last = await onDatabase(url, 'select count(*) = count(distinct id) as unique from events')
      expect(last[0]).toEqual({ unique: true })
      await expect(onDatabase(url, "insert into task_needs values ('no', 'such')")).rejects.toThrow(
        'foreign key',
      )
    } finally {
      await store.close()
      await database.close()
    }
  })

  it('is of one moment, while others go on working', async () => {
    const { store } = test
    const others = { working: true }
    const work = (async () => {
      while (others.working) {
        const [first] = await submitAll(store, [newTask()])
        await submitAll(store, [newTask({ needs: [first ?? ''] })])
      }
    })()
    for (let round = 0; round < 5; round += 1) {
      await dump()
      const url = await emptyDatabase()
      // A need without its task would be refused.
      await loadDatabase({ connection: url, path: file })
    }
    others.working = false
    await work
  })

  it('of an older version is brought to the shape of this one', async () => {
    const old = await emptyDatabase()
    const db = new Kysely<unknown>({
      dialect: new PostgresDialect({ pool: new Pool({ connectionString: old }) }),
    })
    await migrateTo(db, '0002-parking')
    await db.destroy()
    await onDatabase(old, "insert into tokens (id, name, hash) values ('1', 'old', '\\x01')")
    await dumpDatabase({ connection: old, path: file, version: '0.1.0' })
    const url = await emptyDatabase()
    await loadDatabase({ connection: url, path: file })
    expect(await onDatabase(url, 'select name, role from tokens')).toEqual([
      { name: 'old', role: 'operator' },
    ])
  })

  it('of a newer version is refused', async () => {
    await fill()
    await dump()
    const lines = gunzipSync(await readFile(file))
      .toString('utf8')
      .split('\n')
    const head = JSON.parse(lines[0] ?? '') as { migrations: string[] }
    expect(head.migrations.length).toBeGreaterThan(2)
    const unknown = { ...head, migrations: [...head.migrations, '9999-future'] }
    await writeFile(file, gzipSync([JSON.stringify(unknown), ...lines.slice(1)].join('\n')))
    await expect(loadDatabase({ connection: await emptyDatabase(), path: file })).rejects.toThrow(
      'restore it with that version or a newer one',
    )
  })

  it.each([
    ['cut off', async (bytes: Buffer) => bytes.subarray(0, bytes.length - 40)],
    [
      'with a changed row',
      async (bytes: Buffer) => gzipSync(gunzipSync(bytes).toString('utf8').replace('"Do it"', '"Do evil"')),
    ],
    [
      'without its end',
      async (bytes: Buffer) =>
        gzipSync(
          gunzipSync(bytes)
            .toString('utf8')
            .replace(/\{"end".*\n$/, ''),
        ),
    ],
    ['that is no backup', async () => gzipSync('{"hello": 1}\n')],
    ['that is not even packed', async () => Buffer.from('hello')],
    ['that is empty', async () => Buffer.alloc(0)],
  ])('%s is refused, and nothing of it is in the database', async (_how, change) => {
    await fill()
    await dump()
    await writeFile(file, await change(await readFile(file)))
    const url = await emptyDatabase()
    await expect(loadDatabase({ connection: url, path: file })).rejects.toThrow(BackupUnusable)
    const there = await onDatabase(url, "select to_regclass('tasks') is not null as made")
    if (there[0]?.['made'] === true) {
      expect(await onDatabase(url, 'select count(*)::int as tasks from tasks')).toEqual([{ tasks: 0 }])
    }
  })

  it('that cannot be written whole leaves nothing behind, and an older one as it was', async () => {
    await fill()
    await dump()
    const before = await readFile(file)
    await test.query('drop table task_needs; alter table runs rename to "Odd Name"')
    await expect(dump()).rejects.toThrow()
    expect(await readFile(file)).toEqual(before)
    expect(await readdir(folder)).toEqual(['night.backup'])
  })
})
