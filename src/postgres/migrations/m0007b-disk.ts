import { sql, type Kysely } from 'kysely'

/** Workers say whether they lack room, so that tasks which nobody can take say so, too. */
export async function tellOfDisks(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table workers
      -- Whose tasks it takes: '' is the pool that everyone shares.
      add pool text collate "C" not null default '',
      -- Why it takes nothing now; null: it has room.
      add short_of_disk text`.execute(db)
}
