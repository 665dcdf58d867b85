import { readdir, readFile, readlink } from 'node:fs/promises'

/** The processes whose arguments, environment or folder hold this text, as lines for people. This process is left out. */
export async function processesWith(text: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
    const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '')
    const facts = await Promise.all([
      read('cmdline'),
      read('environ'),
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
    ])
    if (!facts.some((fact) => fact.includes(text))) continue
    // Ended, and only not yet asked for its exit code.
    const stat = await read('stat')
    if (stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')) continue
    found.push(`${pid} ${facts[0].replaceAll('\0', ' ').trim()}`)
  }
  return found
}
