import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeFolder } from '../../src/process/make-folder.ts'

describe('a folder that is made', () => {
  let at: string
  beforeAll(async () => {
    at = await mkdtemp(join(tmpdir(), 'nightshift-test-'))
  })
  afterAll(() => rm(at, { recursive: true }))

  it('comes with those above it, for its user alone; again is no fault', async () => {
    await Promise.all([1, 2, 3].map(() => makeFolder(join(at, 'a', 'b'))))
    await makeFolder(join(at, 'a', 'b'))
    expect((await stat(join(at, 'a'))).mode & 0o777).toBe(0o700)
  })

  it('ends with a failure where a file is in the way, or the file system takes no folder', async () => {
    await writeFile(join(at, 'file'), '')
    await expect(makeFolder(join(at, 'file'))).rejects.toThrow('EEXIST')
    await expect(makeFolder(join(at, 'file', 'b', 'c'))).rejects.toThrow('EEXIST')
    // Node's own, with `recursive`, does not come back from here.
    await expect(makeFolder('/proc/nightshift/home')).rejects.toThrow('ENOENT')
  })
})
