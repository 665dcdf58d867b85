import { lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { handOver, makeFolders, sandboxFolder } from '../../src/jail/sandbox-files.ts'
import { run } from '../../src/process/run.ts'

const isRoot = process.getuid?.() === 0

// Few are given away by this process, many by another one.
test.skipIf(!isRoot).each([20, 2000])(
  'all %d files of a clone go to its user, whatever they are called, and nothing that a link leads to',
  async (count) => {
    const top = await mkdtemp(join(tmpdir(), 'nightshift-owner-'))
    try {
      const outside = join(top, 'outside')
      writeFileSync(outside, '')
      const folder = sandboxFolder(join(top, 'sandbox'))
      makeFolders(folder)
      for (let number = 0; number < count; number += 1) {
        mkdirSync(join(folder.clone, `folder ${number % 7}`), { recursive: true })
        writeFileSync(join(folder.clone, `folder ${number % 7}`, `file\n${number}`), '')
      }
      const odd = Buffer.concat([Buffer.from(`${folder.clone}/folder 1/`), Buffer.from([0xff, 0xfe])])
      writeFileSync(odd, '')
      symlinkSync(outside, join(folder.clone, 'link'))
      symlinkSync(top, join(folder.home, 'link to a folder'))
      await handOver(folder, 54_321, run)
      const parts = [folder.clone, folder.home, folder.tmp, folder.out]
      const find = ['find', ...parts, '!', '-uid', '54321']
      expect((await run(find, { env: { PATH: '/usr/bin:/bin' }, timeoutMs: 60_000 })).stdout.toString()).toBe(
        '',
      )
      expect([lstatSync(outside).uid, lstatSync(top).uid, lstatSync(folder.scratch).uid]).toEqual([0, 0, 0])
    } finally {
      await rm(top, { recursive: true, force: true })
    }
  },
)
