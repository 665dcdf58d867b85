import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { removeOldMirrors } from '../../src/git/old-mirrors.ts'
import { quiet } from '../support/quiet.ts'

const dayMs = 86_400_000
let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'nightshift-mirrors-'))
})
afterEach(() => rm(home, { recursive: true, force: true }))

async function mirror(name: string, days: { made: number; pins: readonly number[] }): Promise<void> {
  const path = join(home, 'mirrors', name)
  const pins = join(path, 'refs', 'pinned')
  await mkdir(pins, { recursive: true })
  const ago = (count: number) => new Date(Date.now() - count * dayMs)
  for (const [number, age] of days.pins.entries()) {
    const pin = join(pins, String(number).repeat(40))
    await writeFile(pin, 'sha\n')
    await utimes(pin, ago(age), ago(age))
  }
  await utimes(path, ago(days.made), ago(days.made))
}

it('mirrors that no task has started from for long are removed, those in use and all else stay', async () => {
  await mirror('old.git', { made: 90, pins: [80, 40] })
  await mirror('used.git', { made: 90, pins: [80, 2] })
  await mirror('new.git', { made: 0, pins: [] })
  await removeOldMirrors({ home, olderMs: 30 * dayMs, log: quiet })
  const left = (await readdir(join(home, 'mirrors'))).filter((name) => !name.endsWith('.lock'))
  expect(left.toSorted()).toEqual(['new.git', 'used.git'])
  await removeOldMirrors({ home: join(home, 'nothing'), olderMs: 1, log: quiet })
})
