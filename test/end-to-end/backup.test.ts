import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { removeHome } from '../support/embedded-home.ts'
import { makePlace, runCli, startServer, until, type Place } from '../support/nightshift.ts'
import { branchSha, makeRepository } from '../support/repositories.ts'

/** Every command here starts and stops a database of its own. */
const patienceMs = 300_000

describe('nightshift backup and restore', () => {
  let place: Place
  let elsewhere: Place
  let file: string

  beforeEach(async () => {
    place = await makePlace('')
    file = join(place.folder, 'night.backup')
    elsewhere = {
      ...place,
      environment: { ...place.environment, NIGHTSHIFT_HOME: join(place.folder, 'other') },
    }
  })
  afterEach(async () => {
    for (const { environment } of [place, elsewhere]) await removeHome(environment['NIGHTSHIFT_HOME'] ?? '')
    await place.remove()
  })

  it(
    'take the night along while it goes on: what ran is done in the other home, what had ended is there',
    async () => {
      const { path: repo } = await makeRepository(join(place.folder, 'remote.git'))
      const server = await startServer(place, ['--slots', '1', '--grace', '0s'])
      const ended = await server.submit({ repo, prompt: 'Ended', command: 'date > DATE; echo said' })
      await server.untilDone(ended.id)
      const command = 'date > LATER; sleep 15'
      const running = await server.submit({ repo, prompt: 'Running', command })
      const waiting = await server.submit({ repo, prompt: 'Waiting', command: 'date > WAITED' })
      await until(async () => ((await server.task(running.id)).state === 'running' ? true : null))
      const taken = await runCli(place, ['backup', file, '--json'])
      expect([taken.exitCode, taken.stderr]).toEqual([0, ''])
      expect(JSON.parse(taken.stdout)).toMatchObject({ file, rows: { tasks: 3 } })
      await server.process.stop()

      const restored = await runCli(elsewhere, ['restore', file])
      expect([restored.exitCode, restored.stderr]).toEqual([0, expect.stringContaining('3 tasks')])
      const again = await startServer(elsewhere)
      expect(await again.task(ended.id)).toMatchObject({ outcome: 'pushed' })
      const log = await again.request('GET', `/api/v1/tasks/${ended.id}/log`)
      expect(await log.text()).toContain('said')
      for (const id of [running.id, waiting.id]) {
        const done = await again.untilDone(id, 120_000)
        expect(done).toMatchObject({ outcome: 'pushed' })
        expect(await branchSha(repo, done.branch)).toBe(done.evidence?.headSha)
      }
      await again.process.stop()
    },
    patienceMs,
  )

  it(
    'refuse a home that has something, a file that is none, and leave an empty home as it was',
    async () => {
      expect((await runCli(place, ['token', 'create', 'one'])).exitCode).toBe(0)
      expect((await runCli(place, ['backup', file])).exitCode).toBe(0)
      const full = await runCli(place, ['restore', file])
      expect([full.exitCode, full.stderr]).toEqual([2, expect.stringContaining('is not empty')])

      const nothing = join(place.folder, 'nothing.backup')
      await writeFile(nothing, 'hello')
      const none = await runCli(elsewhere, ['restore', nothing, '--json'])
      expect(none.exitCode).toBe(2)
      expect(JSON.parse(none.stdout)).toMatchObject({ error: { exitCode: 2 } })

      const cut = join(place.folder, 'cut.backup')
      await copyFile(file, cut)
      await writeFile(cut, (await readFile(file)).subarray(0, -30))
      expect((await runCli(elsewhere, ['restore', cut])).exitCode).toBe(2)
      const whole = await runCli(elsewhere, ['restore', file])
      expect([whole.exitCode, whole.stdout]).toEqual([0, ''])
      const tokens = await runCli(elsewhere, ['token', 'ls', '--json'])
      expect(JSON.parse(tokens.stdout)).toMatchObject({ items: [{ name: 'one' }] })
    },
    patienceMs,
  )
})
