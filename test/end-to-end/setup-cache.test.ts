import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, startServer, type Place, type Server } from '../support/nightshift.ts'
import { commitTo, makeRepository, showFile, type MadeRepository } from '../support/repositories.ts'
import { outputOf } from '../support/worker.ts'

const rules = `
setup:
  run: |
    echo "set-up runs"
    mkdir -p deps/empty
    cp lock deps/made; chmod 755 deps/made; ln -s made deps/link
    date +%N > deps/stamp; cp deps/stamp "$HOME/stamp"; echo generated > shared.txt
  inputs: [lock]
checks:
  - name: there
    run: cmp deps/made lock && cmp deps/stamp "$HOME/stamp" && test -x deps/link && test -d deps/empty
`

describe('a set-up with inputs', () => {
  let database: TestDatabase
  let place: Place
  let server: Server
  let remote: MadeRepository

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url)
    remote = await makeRepository(join(place.folder, 'remote.git'), {
      files: { '.nightshift.yaml': rules, '.gitignore': 'deps\nshared.txt\n', lock: 'one\n' },
    })
    server = await startServer(place)
  })
  afterAll(async () => {
    await server.process.stop()
    await place.remove()
    await database.close()
  })

  /** Does the work and says how often set-up ran for it, and which one its agent saw. */
  async function done(command: string, base = 'main') {
    const asked = {
      repo: remote.path,
      prompt: 'Work',
      base,
      command: `${command}; cat deps/stamp > stamp-seen`,
    }
    const task = await server.untilDone((await server.submit(asked)).id)
    const { outcome, reason, branch } = task
    const output = await outputOf(database, task.id)
    const stamp = outcome === 'pushed' ? await showFile(remote.path, branch, 'stamp-seen') : null
    return { task, end: { outcome, reason }, ran: output.split('set-up runs\n').length - 1, stamp }
  }
  const pushed = { outcome: 'pushed', reason: null }

  it('runs once for all sandboxes whose inputs are the same', async () => {
    const first = await done('true')
    expect(first).toMatchObject({ end: pushed, ran: 1 })
    const second = await done('true')
    expect(second).toMatchObject({ end: pushed, ran: 0, stamp: first.stamp })
    expect((await readdir(join(place.folder, 'home', 'kept'))).length).toBe(2)
  })

  it('is never taken from a sandbox that an agent had: not what it left there, not for its own inputs', async () => {
    const before = await done('true')
    expect(
      await done('echo evil > deps/made; echo evil > "$HOME/stamp"; echo evil > deps/stamp'),
    ).toMatchObject({
      end: pushed,
      ran: 0,
      stamp: 'evil\n',
    })
    expect(await done('true')).toMatchObject({ end: pushed, ran: 0, stamp: before.stamp })
    // Changed inputs: set-up runs for the checks, on the work, and is not kept.
    expect(await done('echo two > lock')).toMatchObject({ end: pushed, ran: 1, stamp: before.stamp })
    expect(await done('echo two > lock')).toMatchObject({ end: pushed, ran: 1, stamp: before.stamp })
  })

  it('does not overwrite what the work brings itself', async () => {
    const { task, end } = await done('echo mine > shared.txt; git add -f shared.txt')
    expect(end).toEqual(pushed)
    expect(await showFile(remote.path, task.branch, 'shared.txt')).toBe('mine\n')
  })

  it('is another one for other inputs of the base, and for another branch', async () => {
    const before = await done('true')
    await commitTo(remote.path, 'other', { x: 'x\n' })
    const other = await done('true', 'other')
    expect(other).toMatchObject({ end: pushed, ran: 1 })
    await commitTo(remote.path, 'main', { lock: 'three\n' })
    const after = await done('true')
    expect(after).toMatchObject({ end: pushed, ran: 1 })
    expect(new Set([before.stamp, other.stamp, after.stamp]).size).toBe(3)
  })

  it('runs again where what was kept is damaged', async () => {
    const kept = join(place.folder, 'home', 'kept')
    for (const name of await readdir(kept)) await writeFile(join(kept, name), 'no archive')
    expect(await done('true')).toMatchObject({ end: pushed, ran: 1 })
    expect(await done('true')).toMatchObject({ end: pushed, ran: 0 })
  })
})
