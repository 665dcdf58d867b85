import { sql, type Kysely } from 'kysely'

/** Tasks can wait for what lies outside: a quota, room on the disk, the forge, their turn in the merge train. */
export async function allowParking(db: Kysely<unknown>): Promise<void> {
  await sql`alter table tasks drop constraint tasks_hold_check`.execute(db)
  await sql`
    alter table tasks add constraint tasks_hold_check
    check (hold in ('needs', 'overlap', 'retry', 'pause', 'quota', 'disk', 'forge', 'train'))`.execute(db)
}
