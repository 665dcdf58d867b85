import { spawnSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, startCli, startServer, until, type Place } from '../support/nightshift.ts'
import { listBranches, makeRepository } from '../support/repositories.ts'
import { untilSaid } from '../support/worker.ts'

const mayMount = process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0

describe.skipIf(!mayMount)(
  'a home whose disk is full (a small disk needs root, and the right to mount)',
  () => {
    let database: TestDatabase
    let place: Place
    let home: string

    beforeEach(async () => {
      database = await testDatabase()
      place = await makePlace(database.url)
      home = place.environment['NIGHTSHIFT_HOME'] ?? ''
      await mkdir(home)
    })

    afterEach(async () => {
      spawnSync('umount', ['--lazy', home])
      await place.remove()
      await database.close()
    })

    function mountDisk(mebibytes: number): void {
      const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=700`, 'tmpfs', home])
      expect(mounted.stderr.toString()).toBe('')
    }

    it('filled by one task, another is tried again for a reason that says so, and ends well after room was made', async () => {
      mountDisk(620)
      const remote = await makeRepository(join(place.folder, 'remote.git'))
      const server = await startServer(place)
      const other = await server.submit({
        repo: remote.path,
        prompt: 'Other',
        // Its work is done; then it waits until nothing more can be written, and leaves that for others to take.
        command: `echo 1 > one.txt; echo "here it is"; [ "$NIGHTSHIFT_ATTEMPT" = 1 ] || exit 0
        while head -c 1000000 /dev/zero > /tmp/probe; do sleep 0.2; done; rm /tmp/probe; sleep 1; exit 0`,
      })
      await untilSaid(database, other.id, 'here it is')
      const hog = await server.submit({
        repo: remote.path,
        prompt: 'Hog',
        command: 'while :; do cat /dev/zero >> big 2>/dev/null; sleep 0.05; done',
      })
      const held = await until(async () => {
        const task = await server.task(other.id)
        return task.state === 'held' || task.state === 'done' ? task : null
      }, 'the other task to fail')
      expect(held).toMatchObject({ state: 'held' })
      expect(held.reason).toMatch(/no space left/i)
      // Nothing is taken while there is no room, and the log says why.
      await until(
        () => (server.process.stderr().includes('the disk is nearly full') ? true : null),
        'the warning',
      )
      expect((await server.request('POST', `/api/v1/tasks/${hog.id}/cancel`)).status).toBe(200)
      expect(await server.untilDone(hog.id)).toMatchObject({ outcome: 'cancelled' })
      const done = await server.untilDone(other.id)
      expect(done).toMatchObject({ outcome: 'pushed', evidence: { files: ['one.txt'] } })
      expect(await listBranches(remote.path)).toEqual(['main', done.branch])
      expect((await server.process.stop()).exitCode).toBe(0)
    }, 180_000)

    it('holds what is queued and says why, and goes on by itself once there is room', async () => {
      mountDisk(64)
      const remote = await makeRepository(join(place.folder, 'remote.git'))
      const server = await startServer(place)
      const task = await server.submit({ repo: remote.path, prompt: 'Wait', command: 'echo 1 > one.txt' })
      const held = await until(async () => {
        const found = await server.task(task.id)
        return found.state === 'held' ? found : null
      }, 'the task to be held')
      expect(held.reason).toMatch(/^the disk of .* is nearly full: \d+ MiB are free, 512 MiB are needed/)
      const stats = (await (await server.request('GET', '/api/v1/stats')).json()) as { heldBy: object }
      expect(stats.heldBy).toEqual({ disk: 1 })
      expect(spawnSync('mount', ['-o', 'remount,size=700m', home]).status).toBe(0)
      expect(await server.untilDone(task.id)).toMatchObject({ outcome: 'pushed' })
      expect((await server.process.stop()).exitCode).toBe(0)
    }, 180_000)

    it('a run on a disk without room says so, waits for it, and can be ended', async () => {
      mountDisk(64)
      const remote = await makeRepository(join(place.folder, 'remote.git'))
      const started = startCli(place, ['run', 'x', '--repo', remote.path, '--command', 'true'])
      await until(
        () => (started.stderr().includes('the disk is nearly full') ? true : null),
        'a word about the disk',
      )
      const end = await started.stop('SIGINT')
      expect(end.exitCode).toBe(130)
      expect(end.stdout).toContain('cancelled')
    })

    it('an agent that writes until nothing more goes is ended as any other, and the next one has room', async () => {
      mountDisk(600)
      const remote = await makeRepository(join(place.folder, 'remote.git'))
      const server = await startServer(place)
      const greedy = await server.submit({
        repo: remote.path,
        prompt: 'Greedy',
        command: 'cat /dev/zero > big',
      })
      const task = await server.untilDone(greedy.id)
      expect(task).toMatchObject({ outcome: 'agent_failed', attempt: 1 })
      const next = await server.submit({ repo: remote.path, prompt: 'Next', command: 'echo 1 > one.txt' })
      expect(await server.untilDone(next.id)).toMatchObject({ outcome: 'pushed' })
      expect((await server.process.stop()).exitCode).toBe(0)
    })
  },
)
