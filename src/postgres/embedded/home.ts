import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { fileFault } from '../../model/file-fault.ts'
import { makeFolder } from '../../process/make-folder.ts'
import { EmbeddedFailure } from './failure.ts'

const homeSchema = z.object({
  id: z
    .uuid()
    .meta({ description: 'Random, so that a home that was deleted and made again is another one.' }),
  uid: z.int().meta({ description: 'The user whose home it is.' }),
})
export type HomeIdentity = z.infer<typeof homeSchema>

/** The file of a home that says which one it is. */
export function identityFile(home: string): string {
  return join(home, 'home.json')
}

/**
 * Reads who a home is; makes it where it is new. Only one process may do so at a time (the home's lock).
 * Throws {@link EmbeddedFailure} where it belongs to another user or its file is damaged.
 */
export async function homeIdentity(home: string): Promise<HomeIdentity> {
  const identity = (await readIdentity(home)) ?? (await makeIdentity(home))
  const uid = process.getuid?.() ?? -1
  if (identity.uid === uid) return identity
  // As root the data lies elsewhere: going on would show an empty queue beside the real one.
  throw new EmbeddedFailure(
    `${home} belongs to the user with id ${identity.uid}, and this process runs as ${uid}`,
    'run as that user, or set NIGHTSHIFT_HOME to a folder of your own',
  )
}

/** `null`: this home has none yet. Throws {@link EmbeddedFailure} where the file cannot be read or is damaged. */
export async function readIdentity(home: string): Promise<HomeIdentity | null> {
  const file = identityFile(home)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null
    throw new EmbeddedFailure(`${file} cannot be read`, 'look at its permissions', cause)
  }
  try {
    return homeSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new EmbeddedFailure(
      `${file} is damaged`,
      'bring it back from a backup; it names the database',
      cause,
    )
  }
}

async function makeIdentity(home: string): Promise<HomeIdentity> {
  const identity = { id: randomUUID(), uid: process.getuid?.() ?? -1 }
  const half = join(home, `home.json.${identity.id}`)
  const handle = await open(half, 'wx', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(identity)}\n`)
    // Were it empty after a power cut, nothing would lead to the database any more.
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(half, identityFile(home)).finally(() => rm(half, { force: true }))
  return identity
}

/** Makes the folder of a home, for its user's eyes only. Throws {@link EmbeddedFailure}. */
export async function makeHome(home: string): Promise<void> {
  try {
    await makeFolder(home)
  } catch (cause) {
    throw new EmbeddedFailure(
      `the folder ${home} cannot be made (${fileFault(cause)})`,
      'set NIGHTSHIFT_HOME to a folder that can be written',
      cause,
    )
  }
}
