import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'

/** The same for all processes of this machine, whatever their home: paths mean the same to them. */
export async function readMachineId(): Promise<string> {
  const id = await readFile('/etc/machine-id', 'utf8').catch(() => '')
  return createHash('sha256').update(`${id.trim()} ${hostname()}`).digest('hex').slice(0, 32)
}

/** Of this Nightshift, as package.json says. */
export async function version(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
