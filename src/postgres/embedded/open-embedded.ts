import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Log } from '../../ports/log.ts'
import { withFileLock } from '../../process/file-lock.ts'
import { ensureCluster } from './cluster.ts'
import { recordHome, removeDeadHomes } from './dead-homes.ts'
import { homeIdentity, makeHome } from './home.ts'
import { countMembers, enter } from './members.ts'
import { preparePlace, type Place } from './place.ts'
import { connectionUrl, ensureDatabase } from './server-answer.ts'
import { ensureRunning, stop } from './server.ts'
import { watch } from './watch.ts'

// Longer than a start and a stop in front of us may take together.
const lockWaitMs = 180_000

/** One use of a home's own PostgreSQL. */
export interface EmbeddedDatabase {
  /** A URL for pg. */
  readonly connection: string
  /** Folder of the server's files and of its log. */
  readonly folder: string
  /** From now on, the server is started again where it is gone before this use ends. To be called once. */
  keepRunning(): void
  /** Ends this use; the last one out stops the server, and waits until it is gone. Idempotent. */
  close(): Promise<void>
}

/**
 * Opens the PostgreSQL of a home: joins the server that runs, or starts it. Processes of one home share one server;
 * what a killed process left running is taken over. Throws {@link EmbeddedFailure}, or `LockTimeout` where another
 * process hangs in its own start or stop.
 */
export async function openEmbedded(options: { home: string; log: Log }): Promise<EmbeddedDatabase> {
  const home = resolve(options.home)
  const { log } = options
  await makeHome(home)
  return withFileLock(lockFile(home), lockWaitMs, async () => {
    const identity = await homeIdentity(home)
    const place = await preparePlace(home, identity)
    await recordHome(place, identity.id)
    await removeDeadHomes(place, log)
    await ensureCluster(place)
    const leave = await enter(home)
    try {
      await ensureRunning(place, log)
      await ensureDatabase(place)
    } catch (error) {
      await leave()
      throw error
    }
    let closing: Promise<void> | null = null
    let unwatch = () => Promise.resolve()
    const startAgain = () => withFileLock(lockFile(home), lockWaitMs, () => ensureRunning(place, log))
    return {
      connection: connectionUrl(place),
      folder: place.folder,
      keepRunning: () => {
        unwatch = watch(place, startAgain, log)
      },
      close: () => (closing ??= unwatch().then(() => close(place, leave, log))),
    }
  })
}

async function close(place: Place, leave: () => Promise<void>, log: Log): Promise<void> {
  const there = await access(place.home).then(
    () => true,
    () => false,
  )
  // The home was deleted under us, and the list of members with it: nobody can join this server any more.
  if (!there) return stop(place)
  await withFileLock(lockFile(place.home), lockWaitMs, async () => {
    await leave()
    if ((await countMembers(place.home)) > 0) return
    await stop(place)
    log.info('stopped the embedded database', { folder: place.folder })
  })
}

function lockFile(home: string): string {
  return join(home, 'database.lock')
}
