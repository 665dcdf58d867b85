import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { sql, type Selectable } from 'kysely'
import type { ApiToken, TokenRole, TokenStore } from '../ports/token-store.ts'
import { prepared } from './prepared.ts'
import type { Database } from './database.ts'
import type { Schema } from './schema.ts'
import { storableText } from './storable.ts'

const prefix = 'ns_'
const secretBytes = 32

/** Opens the store of API tokens over a migrated database. */
export function openTokenStore({ db }: Pick<Database, 'db'>): TokenStore {
  return {
    create: async (name, role = 'operator') => {
      const token = prefix + randomBytes(secretBytes).toString('base64url')
      const stored = await db
        .insertInto('tokens')
        .values({ id: randomUUID(), name: storableText(name), role, hash: hashOf(token) })
        .returningAll()
        .executeTakeFirstOrThrow()
      return { token, stored: toToken(stored) }
    },
    list: async () => {
      const rows = await db.selectFrom('tokens').selectAll().orderBy('created_at').orderBy('id').execute()
      return rows.map(toToken)
    },
    revoke: async (id) => {
      const gone = await db.deleteFrom('tokens').where('id', '=', storableText(id)).executeTakeFirst()
      return gone.numDeletedRows > 0n
    },
    verify: async (token) => {
      // Looked up by its hash: how long that takes tells nothing of the token itself.
      const hash = hashOf(token)
      const found = await sql<{ stale: boolean; role: TokenRole }>`
        ${prepared} select coalesce(last_used_at < now() - interval '1 minute', true) as stale, role
        from tokens where hash = ${hash}`.execute(db)
      const row = found.rows[0]
      if (row === undefined) return null
      if (row.stale) await sql`update tokens set last_used_at = now() where hash = ${hash}`.execute(db)
      return row.role
    },
    any: async () => (await db.selectFrom('tokens').select('id').limit(1).executeTakeFirst()) !== undefined,
  }
}

/** SHA-256, which is all that is kept of a token. */
export function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function toToken(row: Selectable<Schema['tokens']>): ApiToken {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    createdAt: row.created_at.toISOString(),
    lastUsedAt: row.last_used_at?.toISOString() ?? null,
  }
}
