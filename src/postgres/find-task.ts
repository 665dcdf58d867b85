import { sql, type Kysely } from 'kysely'
import type { Schema } from './schema.ts'
import { storableText } from './storable.ts'

/** The whole id of a task given by its id, or by the end of one where only one task ends so; `null`: none, or many. */
export async function resolveId(db: Kysely<Schema>, idOrEnd: string): Promise<string | null> {
  // Ids are written in upper case, and shown to people in lower case.
  const end = storableText(idOrEnd).toUpperCase()
  if (end === '') return null
  const exact = await db.selectFrom('tasks').select('id').where('id', '=', end).executeTakeFirst()
  if (exact !== undefined) return exact.id
  const found = await sql<{ id: string }>`
    select id from tasks where right(id, ${end.length}) = ${end} limit 2`.execute(db)
  return found.rows.length === 1 ? (found.rows[0]?.id ?? null) : null
}
