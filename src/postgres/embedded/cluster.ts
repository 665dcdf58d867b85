import { randomUUID } from 'node:crypto'
import { access, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { EmbeddedFailure } from './failure.ts'
import type { Place } from './place.ts'
import { systemCommand } from './system-command.ts'

const halfPrefix = 'half-'

/**
 * Makes the database's files where there are none. They are made in another folder, which gets its name once all is
 * on disk: whatever dies in the middle, half a database is never taken for a whole one.
 * Throws {@link EmbeddedFailure}.
 */
export async function ensureCluster(place: Place): Promise<void> {
  for (const name of await readdir(place.folder)) {
    if (name.startsWith(halfPrefix)) {
      // An initdb whose starter was killed may still write there: then the next start removes it.
      await rm(join(place.folder, name), { recursive: true, force: true }).catch(() => {})
    }
  }
  const exists = await access(place.data).then(
    () => true,
    () => false,
  )
  if (exists) return checkVersion(place)
  const half = join(place.folder, `${halfPrefix}${randomUUID()}`)
  const argv = initdbArguments(place, half)
  let made = await systemCommand(argv, place.owner)
  if (made.exitCode !== 0 && /could not look up effective user ID/.test(made.stderr)) {
    // Containers often run as a user id that has no name, and initdb insists on one: in a user namespace it has that
    // of nobody. The files belong to our own id all the same.
    made = await systemCommand(['unshare', '--user', '--map-user=65534', '--map-group=65534', ...argv])
  }
  if (made.exitCode !== 0) {
    await rm(half, { recursive: true, force: true })
    const said = (made.stderr.trim() || made.stdout.toString().trim()).split('\n').slice(-8).join('\n')
    throw new EmbeddedFailure(
      `the database's files could not be made under ${place.folder}: initdb ${made.ended} with ${made.exitCode}:\n${said}\n`,
      'look at free disk space (100 MB are needed) and permissions there, or set DATABASE_URL',
    )
  }
  await rename(half, place.data)
  const folder = await open(place.folder)
  await folder.sync().finally(() => folder.close())
}

function initdbArguments(place: Place, folder: string): string[] {
  return [
    join(place.binaries.folder, 'bin', 'initdb'),
    `--pgdata=${folder}`,
    '--username=nightshift',
    // A fresh container has neither LANG nor any locale but C.
    '--locale=C',
    '--encoding=UTF8',
    // The socket's folder is what keeps others out; the network is not listened to.
    '--auth-local=trust',
    '--auth-host=reject',
    '--no-instructions',
  ]
}

async function checkVersion(place: Place): Promise<void> {
  const found = (await readFile(join(place.data, 'PG_VERSION'), 'utf8').catch(() => '')).trim()
  if (found === place.binaries.major) return
  throw new EmbeddedFailure(
    `the database in ${place.data} was made by PostgreSQL ${found === '' ? 'of an unknown version' : found}, and this version brings ${place.binaries.major}`,
    'back it up with the nightshift that made it, and restore it into an empty NIGHTSHIFT_HOME',
  )
}
