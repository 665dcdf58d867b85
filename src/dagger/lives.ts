import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { livesRoot } from './protocol.ts'

const beatMs = 1000
/** A keeper that has not shown itself for so long is dead, with its container. */
const deadMs = 15_000
const patienceMs = 60_000
const endSuffix = '.end'

/**
 * Shows in the engine's cache volume that a keeper lives, and looks there whether it is to end: the way in which a
 * scheduler ends what another one, frozen or cut off, has left running. Answers how to leave.
 */
export async function live(task: string, life: string, onEnd: () => void): Promise<() => Promise<void>> {
  const folder = join(livesRoot, task)
  const file = join(folder, life)
  await mkdir(folder, { recursive: true })
  await writeFile(file, '')
  const timer = setInterval(() => {
    if (existsSync(`${file}${endSuffix}`)) return onEnd()
    const now = new Date()
    void utimes(file, now, now).catch(() => {})
  }, beatMs)
  return async () => {
    clearInterval(timer)
    await rm(file, { force: true })
    await rm(`${file}${endSuffix}`, { force: true })
    try {
      // Kept as long as another sandbox of the task is in it.
      rmSync(folder, { recursive: false })
    } catch {
      // Not empty.
    }
  }
}

/** Ends every keeper of a task on this engine, and waits until none is left. Rejects where one does not end. */
export async function endLives(task: string): Promise<void> {
  const folder = join(livesRoot, task)
  const lives = list(folder)
  for (const life of lives) await writeFile(join(folder, `${life}${endSuffix}`), '')
  const sinceMs = Date.now()
  for (;;) {
    const left = lives.filter((life) => isAlive(join(folder, life)))
    if (left.length === 0) break
    if (Date.now() - sinceMs > patienceMs) throw new Error(`${left.length} sandboxes of ${task} do not end`)
    await delay(100)
  }
  for (const life of lives) {
    await rm(join(folder, life), { force: true })
    await rm(join(folder, `${life}${endSuffix}`), { force: true })
  }
}

function list(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.endsWith(endSuffix)) : []
}

function isAlive(file: string): boolean {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat !== undefined && Date.now() - stat.mtimeMs < deadMs
}
