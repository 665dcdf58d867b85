import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Sandbox } from '../../src/ports/runtime.ts'
import { makeGatewayPlace, type GatewayPlace } from '../gateway/place.ts'
import { makeWorkplace, missing, title, sh, type Workplace } from '../local/workplace.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { startModelApi, type ModelApi } from '../support/model-api/model-api.ts'
import { keyHunt } from '../support/model-api/scenes.ts'
import { makePlace, startServer, type Place, type Server } from '../support/nightshift.ts'
import { makeRepository, showFile } from '../support/repositories.ts'

const noCurl = missing('curl')

describe.skipIf(noCurl)(title('a command beside the gateway', noCurl), () => {
  let work: Workplace
  let gateway: GatewayPlace
  let sandbox: Sandbox

  beforeAll(async () => {
    work = await makeWorkplace()
    gateway = await makeGatewayPlace()
    sandbox = await work.open()
  })
  afterAll(async () => {
    await sandbox.close()
    await gateway.close()
    await work.close()
  })

  it('uses the model, and finds no real key wherever it looks', async () => {
    const session = await gateway.open('anthropic')
    const message = JSON.stringify({
      model: 'claude-sonnet-4-6',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'scene:says' }],
    })
    const url = `http://127.0.0.1:${session.port}`
    const curl = `curl -sS -D - -H "x-api-key: $ANTHROPIC_API_KEY" -H 'content-type: application/json'`
    const script = `${curl} ${url}/v1/messages -d '${message}'; ${curl} ${url}/v1/models; ${curl} ${url}/x; ${keyHunt}`
    const end = await sh(sandbox, script, {
      env: { ANTHROPIC_API_KEY: session.key, ANTHROPIC_BASE_URL: url },
      relays: [{ port: session.port, socket: session.socket }],
    })
    expect(end.stdoutTail, end.stderrTail).toContain('Nothing has to be done here.')
    // The hunt has found what there is to find, and nothing else.
    const counted = await sh(
      sandbox,
      `grep -c ${session.key} found.txt; grep -c ${gateway.api.keys.anthropic} found.txt`,
    )
    expect(counted.stdoutTail).toMatch(/^[1-9]\d*\n0\n$/)
    for (const text of [end.stdoutTail, end.stderrTail, gateway.logged.join('\n')]) {
      expect(text).not.toContain(gateway.api.keys.anthropic)
    }
  })
})

describe('the keys of a server', () => {
  let database: TestDatabase
  let api: ModelApi
  let place: Place
  let server: Server

  beforeAll(async () => {
    database = await testDatabase()
    api = await startModelApi()
    place = await makePlace(database.url, {
      ...api.environment,
      CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-never-to-be-seen-7Yt4',
    })
    server = await startServer(place)
  })
  afterAll(async () => {
    await server.process.stop()
    await api.close()
    await place.remove()
    await database.close()
  })

  it('are in no sandbox, branch, event, row, log or file, whatever runs there', async () => {
    const remote = await makeRepository(join(place.folder, 'remote.git'), {
      files: {
        'README.md': 'a repository\n',
        'hunt.sh': keyHunt,
        '.nightshift.yaml': 'setup: sh hunt.sh; rm found.txt\nchecks:\n  - name: hunt\n    run: sh hunt.sh\n',
      },
    })
    const task = await server.submit({ repo: remote.path, prompt: 'Hunt', command: 'sh hunt.sh' })
    const ended = await server.untilDone(task.id)
    expect(ended).toMatchObject({ outcome: 'pushed', evidence: { files: ['found.txt'] } })
    const found = (await showFile(remote.path, ended.branch, 'found.txt')) ?? ''
    expect(found.length).toBeGreaterThan(1000)
    expect(found).toContain('NIGHTSHIFT_TASK')

    const secrets = [...Object.values(api.keys), 'sk-ant-oat01-never-to-be-seen-7Yt4']
    const tables = await database.query(
      `select table_name as name from information_schema.tables where table_schema = 'public'`,
    )
    const rows: string[] = []
    for (const { name } of tables)
      rows.push(JSON.stringify(await database.query(`select * from "${String(name)}"`)))
    expect(rows.join('').length).toBeGreaterThan(10_000)
    const log = await (await server.request('GET', `/api/v1/tasks/${task.id}/log`)).text()
    const shown = JSON.stringify(ended)
    for (const secret of secrets) {
      for (const text of [
        found,
        rows.join('\n'),
        log,
        shown,
        server.process.stdout(),
        server.process.stderr(),
      ]) {
        expect(text).not.toContain(secret)
      }
    }
    // Nothing of it lies in a file of the home either, nor in what was committed.
    const patterns = secrets.flatMap((secret) => ['-e', secret])
    const files = spawnSync('grep', ['-rlaF', ...patterns, place.folder], { encoding: 'utf8' })
    expect(files).toMatchObject({ status: 1, stdout: '' })
  })
})
