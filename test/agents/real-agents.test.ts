import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { startModelApi, type ModelApi } from '../support/model-api/model-api.ts'
import { makePlace, startServer, until, type Place, type Server } from '../support/nightshift.ts'
import { branchSha, makeRepository, showFile, type MadeRepository } from '../support/repositories.ts'
import { outputOf } from '../support/worker.ts'
import { cliModels, cliNames, cliSettings, notInstalled, type CliName } from './installed.ts'

const patienceMs = 240_000
const skipped = inject('noSandbox') ?? notInstalled
const rules =
  'fixRounds: 1\nchecks:\n  - name: good\n    run: "! grep -qs bad written.txt"\n    timeout: 1m\n'

describe.skipIf(skipped !== null).each([...cliNames])(
  `%s, the real command line${skipped === null ? '' : ` (skipped: ${skipped})`}`,
  { timeout: 600_000 },
  (name: CliName) => {
    let api: ModelApi
    let database: TestDatabase
    let place: Place
    let server: Server
    let remote: MadeRepository

    beforeAll(async () => {
      api = await startModelApi()
      database = await testDatabase()
      place = await makePlace(database.url, { ...api.environment, ...cliSettings })
      remote = await makeRepository(join(place.folder, 'remote.git'), {
        files: { 'README.md': '# A title\n', '.nightshift.yaml': rules },
      })
      server = await startServer(place, ['--slots', '2'])
    })

    afterAll(async () => {
      await server?.process.stop()
      await place?.remove()
      await database?.close()
      await api?.close()
    })

    function submit(scene: string, more: Readonly<Record<string, unknown>> = {}): Promise<Task> {
      const model = cliModels[name]
      return server.submit({
        repo: remote.path,
        prompt: `Do the work (scene:${scene})`,
        agent: name,
        timeout: '4m',
        ...(model === null ? {} : { model }),
        ...more,
      })
    }

    async function ended(scene: string, more: Readonly<Record<string, unknown>> = {}): Promise<Task> {
      const { id } = await submit(scene, more)
      return server.untilDone(id, patienceMs)
    }

    it('does its work, and what it used was counted', async () => {
      const task = await ended('edits')
      expect(task).toMatchObject({
        outcome: 'pushed',
        evidence: { files: ['README.md'], agent: { name, exitCode: 0 } },
      })
      expect(await showFile(remote.path, task.branch, 'README.md')).toBe('# A title, edited\n')
      expect(await branchSha(remote.path, task.branch)).toBe(task.evidence?.headSha)
      const agent = task.evidence?.agent
      expect(agent?.path).toBe(cliSettings[`NIGHTSHIFT_${name.toUpperCase()}_BIN`])
      expect(agent?.version).toMatch(/^\d+\.\d+\.\d+/)
      expect(agent?.inputTokens).toBeGreaterThanOrEqual(3600)
      expect(agent?.costUsd).toBeGreaterThan(0)
      expect(await outputOf(database, task.id)).toContain('I changed the title of README.md.')
    })

    it('mends what the gate found, in the same conversation', async () => {
      const task = await ended('mends')
      expect(task).toMatchObject({ outcome: 'pushed', evidence: { files: ['written.txt'] } })
      expect(await showFile(remote.path, task.branch, 'written.txt')).toBe('good\n')
      const last = api.turns.findLast((turn) => turn.scene === 'mends')
      // The task was said in the first round alone: it is there because the conversation went on.
      expect(JSON.stringify(last?.body)).toContain('scene:mends')
      expect(JSON.stringify(last?.body)).toContain('data-')
    })

    it.runIf(name === 'claude')('is told of a broken rule by its hook, before it has written', async () => {
      const guarded = await makeRepository(join(place.folder, 'guarded.git'), {
        files: { 'README.md': '# A title\n', '.nightshift.yaml': 'policy:\n  deny: [README.md]\n' },
      })
      const task = await ended('edits', { repo: guarded.path })
      const last = api.turns.findLast((turn) => turn.scene === 'edits')
      expect(JSON.stringify(last?.body)).toContain('README.md must not change')
      expect(task).toMatchObject({ outcome: 'no_changes' })
    })

    it.each([
      ['nothing', 'agent_failed', /empty/],
      ['asks', 'agent_failed', /asked a question and waited/],
      ['404', 'agent_failed', /model|not found/i],
      ['401', 'invalid', /could not work/],
      ['says', 'no_changes', /nothing differs/],
    ] as const)('ends %s as %s', async (scene, outcome, reason) => {
      const task = await ended(scene)
      expect([scene, task.outcome, task.reason]).toEqual([scene, outcome, expect.stringMatching(reason)])
      expect(await branchSha(remote.path, task.branch)).toBeNull()
    })

    it.each(['writes', 'runs', 'flaky'])('gets through %s', async (scene) => {
      const task = await ended(scene)
      expect([task.outcome, task.reason]).toEqual(['pushed', null])
      expect(task.evidence?.files).toEqual([scene === 'runs' ? 'ran.txt' : 'written.txt'])
    })

    it('ends 403 as what it means', async () => {
      const task = await ended('403')
      // OpenAI means a model by it, the others the key.
      expect(task.outcome).toBe(name === 'codex' ? 'agent_failed' : 'invalid')
    })

    it('ends 500 that goes on as agent_failed', async () => {
      const task = await ended('500')
      expect([task.outcome, task.reason]).toEqual([
        'agent_failed',
        expect.stringMatching(/500|internal|high demand/i),
      ])
    })

    it.each(['529', '429'])('is held where its provider goes on to answer %s', async (scene) => {
      const { id } = await submit(scene)
      const held = await until(
        async () => {
          const task = await server.task(id)
          return task.state === 'held' || task.state === 'done' ? task : null
        },
        'it to be held',
        patienceMs,
      )
      await server.request('POST', `/api/v1/tasks/${id}/cancel`)
      await database.query('delete from account_holds')
      expect([held.state, held.reason]).toEqual(['held', expect.stringContaining('its provider')])
    })

    it('that hangs is ended for its silence, with all that it has started', async () => {
      const task = await ended('stalls', { silence: '20s' })
      expect(task).toMatchObject({ outcome: 'agent_failed', reason: expect.stringContaining('said nothing') })
    })

    it('whose answer is cut off does not pass for one that is done', async () => {
      const task = await ended('cuts', { timeout: '90s' })
      expect(['agent_failed', 'timed_out']).toContain(task.outcome)
    })

    it('that loops is ended at its cap', async () => {
      const task = await ended('loops', { maxCost: 0.3 })
      expect(task).toMatchObject({ outcome: 'over_budget', reason: expect.stringContaining('$0.30') })
    })

    it('finds no key, wherever it looks, and neither do the logs', async () => {
      const task = await ended('hunts-for-keys')
      expect(task.evidence?.files).toContain('found.txt')
      const found = (await showFile(remote.path, task.branch, 'found.txt')) ?? ''
      expect(found).toContain('NIGHTSHIFT_TASK')
      const dump = JSON.stringify(await database.query('select * from events'))
      for (const key of Object.values(api.keys)) {
        expect(found).not.toContain(key)
        expect(dump).not.toContain(key)
        expect(server.process.stderr()).not.toContain(key)
      }
    })

    it('waits where its account has reached a limit, with all that would run into it, and all go on by themselves', async () => {
      // Gemini tells a short delay of a daily quota, too: only a long one is believed.
      api.resetMs = name === 'gemini' ? 61_000 : 15_000
      const ids = await Promise.all(
        Array.from({ length: 4 }, async () => (await submit('limit-reached-once')).id),
      )
      const held = await until(
        async () => {
          const tasks = await Promise.all(ids.map((id) => server.task(id)))
          return tasks.some((task) => task.state === 'held')
            ? tasks.filter((task) => task.state === 'held')
            : null
        },
        'a held task',
        patienceMs,
      )
      expect(held[0]?.reason).toContain('has reached a limit of its provider')
      for (const id of ids) {
        expect(await server.untilDone(id, patienceMs)).toMatchObject({ outcome: 'pushed' })
      }
      const holds = await database.query('select account from account_holds')
      expect(holds).toHaveLength(1)
    })

    it('takes up its conversation on another worker, after its own was killed', async () => {
      const slow = await makeRepository(join(place.folder, 'slow.git'), {
        files: { '.nightshift.yaml': rules.replace('run: "', 'run: "sleep 5; ') },
      })
      const { id } = await submit('mends', { repo: slow.path })
      await until(
        async () => (await outputOf(database, id)).includes('I wrote written.txt') || null,
        'the end of its first round',
        patienceMs,
      )
      await until(
        async () => {
          const response = await server.request('GET', `/api/v1/tasks/${id}/events`)
          return /"type":"step.started","step":"checks"/.test(await response.text()) || null
        },
        'its checks',
        patienceMs,
      )
      await server.process.stop('SIGKILL')
      server = await startServer(place, ['--slots', '2'])
      const task = await server.untilDone(id, patienceMs)
      expect(task).toMatchObject({ outcome: 'pushed', attempt: 2 })
      const last = api.turns.findLast((turn) => turn.scene === 'mends')
      expect(JSON.stringify(last?.body)).toContain('scene:mends')
      // The first round, which alone said that, was not done again.
      expect((await outputOf(database, id)).split('I wrote written.txt')).toHaveLength(3)
    })

    it('whose worker is killed in the middle of its turn is run again, and pushes once', async () => {
      const before = api.turns.length
      const { id } = await submit('stalls', { silence: '3m' })
      await until(
        () => (api.turns.slice(before).some((turn) => turn.scene === 'stalls') ? true : null),
        'its first request',
        patienceMs,
      )
      await server.process.stop('SIGKILL')
      await database.query(`update tasks set prompt = 'Do the work (scene:writes)' where id = '${id}'`)
      server = await startServer(place, ['--slots', '2'])
      const task = await server.untilDone(id, patienceMs)
      expect(task).toMatchObject({ outcome: 'pushed', attempt: 2 })
      expect(await showFile(remote.path, task.branch, 'written.txt')).toBe('written by the model\n')
    })
  },
)
