import { createHash } from 'node:crypto'
import { z } from 'zod'

/*
 * A backup is gzipped text, one JSON value a line: a head, then for each table its name and its rows, then an end with
 * the hash of everything before. Rows are written and read by PostgreSQL itself: no number and no time is rounded.
 */

export const headSchema = z.object({
  nightshift: z.literal('backup'),
  format: z.literal(1),
  version: z.string(),
  createdAt: z.iso.datetime(),
  /** Those that the database had seen: what shape its rows have. */
  migrations: z.array(z.string()).min(1),
})
export type BackupHead = z.infer<typeof headSchema>

export const tableSchema = z.object({ table: z.string().regex(/^[a-z_]+$/) })

export const endSchema = z.object({
  end: z.literal(true),
  rows: z.record(z.string(), z.int().nonnegative()),
  /** Of all lines before, with their line ends. */
  sha256: z.string(),
})

/** What a backup held, or holds. */
export interface BackupContents {
  readonly head: BackupHead
  readonly rows: Readonly<Record<string, number>>
}

/** The file is none, is damaged, or does not fit. The message says which, and what to do. */
export class BackupUnusable extends Error {
  override readonly name = 'BackupUnusable'
}

/** Hashes lines as they are written or read. */
export function createLineHash(): { add(line: string): void; digest(): string } {
  const hash = createHash('sha256')
  return {
    add: (line) => void hash.update(`${line}\n`),
    digest: () => hash.digest('hex'),
  }
}

/** What lives only as long as its process: a restored database has none of it. */
export const leftOut: ReadonlySet<string> = new Set(['workers', 'kysely_migration', 'kysely_migration_lock'])
