import { EmbeddedFailure } from './failure.ts'
import { systemCommand, type OsUser } from './system-command.ts'

const name = 'nightshift'

/**
 * The account that runs PostgreSQL, which refuses to run as root: `null` where this process is not root (it runs as
 * the same user), else a system user of our own, made where it is missing. Throws {@link EmbeddedFailure}.
 */
export async function databaseUser(): Promise<OsUser | null> {
  if (process.getuid?.() !== 0) return null
  const known = await lookUp()
  if (known !== null) return known
  const made = await systemCommand([
    'useradd',
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    name,
  ])
  // Another process may have made it in the same moment: what counts is that it is there now.
  const user = await lookUp()
  if (user !== null) return user
  throw new EmbeddedFailure(
    `PostgreSQL refuses to run as root, and the system user ${name} could not be made (${made.stderr.trim()})`,
    `make it by hand: useradd --system --user-group ${name}; or set DATABASE_URL`,
  )
}

async function lookUp(): Promise<OsUser | null> {
  const [uid, gid] = await Promise.all([systemCommand(['id', '-u', name]), systemCommand(['id', '-g', name])])
  if (uid.exitCode !== 0 || gid.exitCode !== 0) return null
  const user = { uid: Number(uid.stdout.toString()), gid: Number(gid.stdout.toString()) }
  if (user.uid > 0) return user
  throw new EmbeddedFailure(
    `the user ${name} of this machine is root, and PostgreSQL refuses to run as root`,
    `give the user ${name} an id of its own, or set DATABASE_URL`,
  )
}
