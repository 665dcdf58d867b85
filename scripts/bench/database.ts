import { join } from 'node:path'
import { openEmbedded } from '../../src/postgres/embedded/open-embedded.ts'

/** A database that the bench can look into, and fill. */
export async function startBenchDatabase(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  const quiet = { info: () => {}, warn: () => {}, error: () => {} }
  const embedded = await openEmbedded({ home: join(folder, 'database'), log: quiet })
  return { url: embedded.connection, close: () => embedded.close() }
}
