import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { startModelApi, type ModelApi } from '../support/model-api/model-api.ts'
import { makePlace, startServer, type Place, type Server } from '../support/nightshift.ts'
import { makeRepository, showFile, type MadeRepository } from '../support/repositories.ts'
import { outputOf } from '../support/worker.ts'

const agentFile = new URL('../agents/acp/agent.ts', import.meta.url)
const rules = 'fixRounds: 1\nchecks:\n  - name: good\n    run: "! grep -qs bad written.txt"\n'

describe('an agent that speaks the agent client protocol', () => {
  let api: ModelApi
  let database: TestDatabase
  let place: Place
  let server: Server
  let remote: MadeRepository

  beforeAll(async () => {
    api = await startModelApi()
    database = await testDatabase()
    place = await makePlace(database.url, api.environment)
    remote = await makeRepository(join(place.folder, 'remote.git'), {
      files: {
        'agent.mjs': stripTypeScriptTypes(await readFile(agentFile, 'utf8')),
        '.nightshift.yaml': rules,
      },
    })
    server = await startServer(place)
  })

  afterAll(async () => {
    await server.process.stop()
    await place.remove()
    await database.close()
    await api.close()
  })

  async function ended(
    scene: string,
    flags = '',
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<Task> {
    const { id } = await server.submit({
      repo: remote.path,
      prompt: `Do the work (scene:${scene})`,
      agent: 'acp',
      command: `node agent.mjs ${flags}`,
      ...more,
    })
    return server.untilDone(id)
  }

  it('is allowed what it asks for, and its work is pushed', async () => {
    const task = await ended('asks-for-leave')
    expect(task).toMatchObject({
      outcome: 'pushed',
      evidence: { files: ['written.txt'], agent: { name: 'acp', version: '1.2.3', exitCode: 0 } },
    })
    expect(await showFile(remote.path, task.branch, 'written.txt')).toContain('"optionId":"yes"')
    expect(await outputOf(database, task.id)).toMatch(/written\.txt(?:.*\n)*.*I was allowed to\./)
  })

  it.each([
    ['--loads', 'I went on.'],
    ['', 'I began anew.'],
  ])('mends what the gate found, in the same session where it can load one (%s)', async (flags, said) => {
    const task = await ended('mends', flags)
    expect(task).toMatchObject({ outcome: 'pushed' })
    expect(await showFile(remote.path, task.branch, 'written.txt')).toBe('good\n')
    const output = await outputOf(database, task.id)
    expect(output.trimEnd().split('\n').at(-1)).toBe(said)
    expect(output).not.toContain('said in the first round')
  })

  it('that wants a key is given the one of its task', async () => {
    const task = await ended('mends', '--wants-key')
    expect(task).toMatchObject({ outcome: 'pushed' })
  })

  it.each([
    ['says-nothing', 'agent_failed', /empty/],
    ['refuses', 'agent_failed', /refused to go on/],
    ['breaks-off', 'agent_failed', /cut/],
    ['asks', 'agent_failed', /asked a question and waited/],
    ['unknown', 'agent_failed', /no such scene/],
  ] as const)('that %s ends as %s', async (scene, outcome, reason) => {
    const task = await ended(scene)
    expect([task.outcome, task.reason]).toEqual([outcome, expect.stringMatching(reason)])
  })

  it('that hangs is ended for its silence', async () => {
    expect(await ended('hangs', '', { silence: '2s' })).toMatchObject({
      outcome: 'agent_failed',
      reason: expect.stringContaining('said nothing'),
    })
  })

  it('whose command is not there ends, and says so', async () => {
    const task = await ended('mends', '', { command: '/no/such/agent --acp' })
    expect(task.outcome).toBe('invalid')
    expect(task.reason).toContain('/no/such/agent')
  })
})
