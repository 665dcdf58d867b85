import { access, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countMembers } from '../../src/postgres/embedded/members.ts'
import { openEmbedded } from '../../src/postgres/embedded/open-embedded.ts'
import { quiet } from './quiet.ts'

const systemDatabases = '/var/lib/nightshift/databases'

/** Removes a NIGHTSHIFT_HOME whose server is stopped, and the database that root's homes have elsewhere. */
export async function removeHome(home: string): Promise<void> {
  const text = await readFile(join(home, 'home.json'), 'utf8').catch(() => '{}')
  const { id } = JSON.parse(text) as { id?: string }
  if (id !== undefined && id !== '' && !id.includes('/')) {
    await rm(join(systemDatabases, id), { recursive: true, force: true })
  }
  await rm(home, { recursive: true, force: true })
}

/** Stops and removes what test runs that were killed have left: homes in the temporary folder with this prefix. */
export async function removeLeftHomes(prefix: string): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const home = join(tmpdir(), name)
    if (!name.startsWith(prefix)) continue
    const started = await access(join(home, 'users')).then(
      () => true,
      () => false,
    )
    // One without users may be another run's that is just starting.
    if (!started || (await countMembers(home)) > 0) continue
    const server = await openEmbedded({ home, log: quiet }).catch(() => null)
    await server?.close()
    await removeHome(home)
  }
}
