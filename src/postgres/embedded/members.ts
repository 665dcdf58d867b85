import { randomUUID } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { identify, isAlive } from '../../process/identity.ts'

/** One use of a home's server by one process. */
const memberSchema = z.object({
  pid: z.int(),
  startTicks: z.string(),
  // Ticks count from the boot of the machine: without this, a process of before may look like one of now.
  bootId: z.string(),
})

/**
 * Enters this process into the list of those that use the home's server. Answers what takes it out again.
 * To be called under the home's lock, as {@link countMembers}.
 */
export async function enter(home: string): Promise<() => Promise<void>> {
  const identity = await identify(process.pid)
  if (identity === null) throw new Error('/proc is not mounted: this process cannot be told from a later one')
  const folder = membersFolder(home)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${identity.pid}-${randomUUID()}.json`)
  const member: z.infer<typeof memberSchema> = { ...identity, bootId: await bootId() }
  await writeFile(`${file}.half`, JSON.stringify(member), { mode: 0o600 })
  await rename(`${file}.half`, file)
  return () => rm(file, { force: true })
}

/** How many uses there are by processes that live; the entries of dead ones are removed. */
export async function countMembers(home: string): Promise<number> {
  const folder = membersFolder(home)
  const boot = await bootId()
  let count = 0
  for (const name of await readdir(folder).catch(() => [])) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '')
    const member = memberSchema.safeParse(parseJson(text))
    if (member.success && member.data.bootId === boot && (await isAlive(member.data))) count++
    else await rm(join(folder, name), { force: true })
  }
  return count
}

function membersFolder(home: string): string {
  return join(home, 'users')
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
