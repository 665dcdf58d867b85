import { randomBytes, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { SessionStore, TokenRole } from '../ports/token-store.ts'
import type { Database } from './database.ts'
import { hashOf } from './token-store.ts'

const rotateAfter = sql.lit('15 minutes')
/** Pages that were under way when the cookie changed still come with the old value. */
const oldCounts = sql.lit('1 minute')
const idleFor = sql.lit('7 days')
const lastsFor = sql.lit('30 days')

/** Opens the store of browser sessions over a migrated database. */
export function openSessionStore({ db }: Pick<Database, 'db'>): SessionStore {
  return {
    open: async (token) => {
      const secret = newSecret()
      await sql`delete from sessions where expires_at < now()`.execute(db)
      await sql`
        insert into sessions (id, secret_hash, bearer_hash, form_key, expires_at)
        values (${randomUUID()}, ${hashOf(secret)}, ${hashOf(token)}, ${newSecret()}, now() + ${idleFor}::interval)`.execute(
        db,
      )
      return secret
    },

    use: async (secret, { rotate, environmentToken }) => {
      const environmentHash = environmentToken === null ? null : hashOf(environmentToken)
      const hash = hashOf(secret)
      const found = await sql<{ id: string; role: TokenRole; form_key: string; due: boolean }>`
        select sessions.id, form_key, coalesce(tokens.role, 'operator') as role,
          secret_hash = ${hash} and rotated_at < now() - ${rotateAfter}::interval as due
        from sessions left join tokens on tokens.hash = sessions.bearer_hash
        where (secret_hash = ${hash} or (previous_hash = ${hash} and previous_until > now()))
          and expires_at > now() and sessions.created_at > now() - ${lastsFor}::interval
          and (tokens.id is not null or bearer_hash = ${environmentHash})`.execute(db)
      const session = found.rows[0]
      if (session === undefined) return null
      const nextSecret = rotate && session.due ? await rotateSecret(session.id, hash) : null
      return { role: session.role, formKey: session.form_key, nextSecret }
    },

    close: async (secret) => {
      await sql`
        delete from sessions where secret_hash = ${hashOf(secret)} or previous_hash = ${hashOf(secret)}`.execute(
        db,
      )
    },
  }

  /** Of two requests that come at the same time, one gets the new value; the old one counts for the other. */
  async function rotateSecret(id: string, hash: Buffer): Promise<string | null> {
    const secret = newSecret()
    const changed = await sql`
      update sessions set previous_hash = secret_hash, previous_until = now() + ${oldCounts}::interval,
        secret_hash = ${hashOf(secret)}, rotated_at = now(), expires_at = now() + ${idleFor}::interval
      where id = ${id} and secret_hash = ${hash}`.execute(db)
    return changed.numAffectedRows === 1n ? secret : null
  }
}

function newSecret(): string {
  return randomBytes(32).toString('base64url')
}
