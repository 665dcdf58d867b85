import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serverPid } from '../../src/postgres/embedded/server-process.ts'

describe('the first process of a server', () => {
  let folder: string
  let place: { readonly data: string }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nightshift-processes-'))
    place = { data: join(folder, 'data') }
    await mkdir(place.data)
  })
  afterEach(() => rm(folder, { recursive: true }))

  async function show(pid: number, parent: number, program = 'postgres', worksIn = place.data) {
    await mkdir(join(folder, 'proc', String(pid)), { recursive: true })
    await symlink(worksIn, join(folder, 'proc', String(pid), 'cwd'))
    await symlink(`/usr/bin/${program}`, join(folder, 'proc', String(pid), 'exe'))
    const stats = `${pid} (postgres: ) a (b) S ${parent} ${pid} ${pid} 0 -1\n`
    await writeFile(join(folder, 'proc', String(pid), 'stat'), stats)
  }

  it.each([
    [9995, 22_840],
    [31_000, 412],
  ])('is %i, whose children come before it in a list of names or by number', async (first, child) => {
    await show(1, 0, 'init', folder)
    await show(first, 1)
    await show(child, first)
    await show(child + 1, first)
    // A person's shell in that folder, and a server that works elsewhere.
    await show(77, 1, 'bash')
    await show(78, 1, 'postgres', folder)
    expect(await serverPid(place, join(folder, 'proc'))).toBe(first)
  })

  it('is none where nothing works in its folder, or that is gone', async () => {
    await show(1, 0, 'init', folder)
    expect(await serverPid(place, join(folder, 'proc'))).toBeNull()
    expect(await serverPid({ data: join(folder, 'no-such') }, join(folder, 'proc'))).toBeNull()
  })
})
