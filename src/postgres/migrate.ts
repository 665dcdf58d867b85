import { Migrator, sql, type Kysely, type Migration } from 'kysely'
import { createQueue } from './migrations/m0001-queue.ts'
import { allowParking } from './migrations/m0002-parking.ts'
import { countSpending } from './migrations/m0004b-spend.ts'
import { addForge } from './migrations/m0005-forge.ts'
import { addRuns } from './migrations/m0006-runs.ts'
import { addSchedules } from './migrations/m0006b-schedules.ts'
import { furnishHouse } from './migrations/m0007-house.ts'
import { tellOfDisks } from './migrations/m0007b-disk.ts'
import { saveCandidates } from './migrations/m0008-candidates.ts'
import { orderTrain } from './migrations/m0009-train-order.ts'
import { keepTold } from './migrations/m0010-told.ts'
import { addAccounts } from './migrations/m0004-accounts.ts'

// In the order of their names, for ever: never rename, change or remove one that was released.
const migrations: Record<string, Migration> = {
  '0001-queue': { up: createQueue },
  '0002-parking': { up: allowParking },
  '0004-accounts': { up: addAccounts },
  '0004b-spend': { up: countSpending },
  '0005-forge': { up: addForge },
  '0006-runs': { up: addRuns },
  '0006b-schedules': { up: addSchedules },
  '0007-house': { up: furnishHouse },
  '0007b-disk': { up: tellOfDisks },
  '0008-candidates': { up: saveCandidates },
  '0009-train-order': { up: orderTrain },
  '0010-told': { up: keepTold },
}

/** The database knows migrations that this version does not: a newer one has used it. */
export class DatabaseTooNew extends Error {
  override readonly name = 'DatabaseTooNew'
  readonly unknown: readonly string[]

  constructor(unknown: readonly string[]) {
    super(
      `the database was used by a newer version of nightshift (${unknown.join(', ')}); ` +
        'update this one, or set another DATABASE_URL or NIGHTSHIFT_HOME',
    )
    this.unknown = unknown
  }
}

/** Every migration that this version knows, in order. */
export const knownMigrations: readonly string[] = Object.keys(migrations)

/** Brings an empty database to the shape that it had after this migration, for data of then. */
export async function migrateTo<T>(db: Kysely<T>, name: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } })
  const { error } = await migrator.migrateTo(name)
  if (error !== undefined) throw error
}

/**
 * Brings the database to the shape that this version needs, under the migrator's own lock, all or nothing.
 * Throws {@link DatabaseTooNew}.
 */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  await refuseNewer(db)
  const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } })
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) return
  // A newer version may have been faster.
  await refuseNewer(db)
  throw error
}

async function refuseNewer<T>(db: Kysely<T>): Promise<void> {
  const table = await sql<{
    found: string | null
  }>`select to_regclass('kysely_migration')::text as found`.execute(db)
  if ((table.rows[0]?.found ?? null) === null) return
  const done = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  const unknown = done.rows.map((row) => row.name).filter((name) => !(name in migrations))
  if (unknown.length > 0) throw new DatabaseTooNew(unknown)
}
