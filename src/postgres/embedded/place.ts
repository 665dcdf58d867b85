import { chmod, chown, mkdir, mkdtemp, readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findBinaries, type Binaries } from './binaries.ts'
import { EmbeddedFailure } from './failure.ts'
import type { HomeIdentity } from './home.ts'
import { databaseUser } from './os-user.ts'
import type { OsUser } from './system-command.ts'

/** Where the server of one home lives. Absolute paths. */
export interface Place {
  readonly home: string
  /** Who runs PostgreSQL; `null`: this very user. */
  readonly owner: OsUser | null
  readonly binaries: Binaries
  /** Holds all of the following. */
  readonly folder: string
  readonly data: string
  /** Locked (flock) by every process of the server for as long as it lives. */
  readonly lock: string
  readonly log: string
  /** What the server listens in; nobody but its user, and root, can enter it. */
  readonly socket: string
}

/** Where root keeps what another account has to reach: that one cannot enter /root. */
const systemFolder = '/var/lib/nightshift'
export const systemDatabases = join(systemFolder, 'databases')
/** Part of the socket's name; no TCP port is opened. */
export const port = 5432

// sun_path of unix(7) has 108 bytes, the last one for the NUL.
const maxSocketPathBytes = 107

/** Makes the folders for a home's server, with safe permissions. Throws {@link EmbeddedFailure}. */
export async function preparePlace(home: string, identity: HomeIdentity): Promise<Place> {
  const owner = await databaseUser()
  // Folders of root must be open to be walked through, and closed to be listed.
  if (owner !== null) await makeFolder(systemFolder, 0o711, null)
  const folder = owner === null ? join(await realpath(home), 'postgres') : join(systemDatabases, identity.id)
  const binaries = await findBinaries(owner === null ? folder : systemFolder, owner)
  if (owner !== null) await makeFolder(systemDatabases, 0o711, null)
  await makeFolder(folder, 0o700, owner)
  return {
    home,
    owner,
    binaries,
    folder,
    data: join(folder, 'data'),
    lock: join(folder, 'server.lock'),
    log: join(folder, 'server.log'),
    socket: await socketFolder(folder, owner),
  }
}

async function makeFolder(path: string, mode: number, owner: OsUser | null): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode })
    await chmod(path, mode)
    if (owner !== null) await chown(path, owner.uid, owner.gid)
  } catch (cause) {
    throw new EmbeddedFailure(
      `the folder ${path} cannot be made (${cause instanceof Error ? cause.message : String(cause)})`,
      `look at the permissions of ${dirname(path)} and at its disk, or set DATABASE_URL`,
      cause,
    )
  }
}

async function socketFolder(folder: string, owner: OsUser | null): Promise<string> {
  const beside = join(folder, 'socket')
  if (fits(beside)) {
    await makeFolder(beside, 0o700, owner)
    return beside
  }
  // Remembered, since a running server can only be found where it listens.
  const note = join(folder, 'socket-folder')
  const remembered = await readFile(note, 'utf8').catch(() => null)
  if (remembered !== null && (await isOurs(remembered))) return remembered
  // A name that nobody can guess, in a folder where others could put a trap under a known one.
  const short = await mkdtemp(
    join(fits(join(tmpdir(), 'nightshift-XXXXXX')) ? tmpdir() : '/tmp', 'nightshift-'),
  )
  await writeFile(note, short, { mode: 0o600 })
  return short
}

function fits(folder: string): boolean {
  return Buffer.byteLength(join(folder, `.s.PGSQL.${port}`)) <= maxSocketPathBytes
}

async function isOurs(folder: string): Promise<boolean> {
  const found = await stat(folder).catch(() => null)
  return (
    found !== null && found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0
  )
}
