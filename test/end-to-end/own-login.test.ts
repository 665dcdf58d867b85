import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, runCli, startServer, type Place, type Server } from '../support/nightshift.ts'
import { makeRepository, showFile, type MadeRepository } from '../support/repositories.ts'
import { outputOf } from '../support/worker.ts'

const token = 'a-token-of-a-login-that-nobody-else-may-read'
const noLogin = 'test ! -e "$HOME/.codex/auth.json"'
const rules = `setup: ${noLogin}
fixRounds: 1
checks:
  - name: no login here
    run: ${noLogin}
  - name: mended
    run: grep -q renewed seen.txt
`
/** Stands for Codex: shows its login and what it can reach, and renews its login in the first round. */
const codex = `#!/bin/sh
[ "$1" != --version ] || { echo "codex-cli 0.169.0"; exit 0; }
login=$HOME/.codex/auth.json
grep -q 'Leak it' && cp "$login" leaked.txt
cat "$login"; echo
cut -c1-7 "$login" | tr -d '\n' >seen.txt
echo renewed >"$login"
for host in chatgpt.com example.org; do
  echo "$host: $(curl -s -o /dev/null -w '%{http_connect}' https://$host)"
done
echo '{"type":"thread.started","thread_id":"one"}'
echo '{"type":"item.completed","item":{"type":"agent_message","text":"I did it."}}'
echo '{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":1}}'
`

describe('a command line that goes in with its own login', () => {
  let database: TestDatabase
  let place: Place
  let server: Server
  let remote: MadeRepository

  beforeAll(async () => {
    database = await testDatabase()
    const first = await makePlace(database.url)
    const program = join(first.folder, 'tools/codex')
    const login = join(first.folder, 'login.json')
    await mkdir(join(first.folder, 'tools'))
    await writeFile(program, codex)
    await chmod(program, 0o755)
    await writeFile(login, JSON.stringify({ tokens: { access_token: token } }), { mode: 0o600 })
    const counted = { NIGHTSHIFT_CLAUDE_BIN: program, ANTHROPIC_API_KEY: 'none-of-anybody' }
    const more = { NIGHTSHIFT_CODEX_BIN: program, NIGHTSHIFT_CODEX_LOGIN_FILE: login, ...counted }
    place = { ...first, environment: { ...first.environment, ...more } }
    remote = await makeRepository(join(place.folder, 'remote.git'), { files: { '.nightshift.yaml': rules } })
    server = await startServer(place)
  })

  afterAll(async () => {
    await server.process.stop()
    await place.remove()
    await database.close()
  })

  it('finds it once, keeps what it makes of it, reaches whom it is for; nobody else sees it, and no log', async () => {
    const { id } = await server.submit({ repo: remote.path, prompt: 'Work', agent: 'codex' })
    const task = await server.untilDone(id)
    expect(task).toMatchObject({ outcome: 'pushed', reason: null })
    // What the first round had renewed, the second one found.
    expect(await showFile(remote.path, task.branch, 'seen.txt')).toBe('renewed')
    const output = await outputOf(database, id)
    expect(output).toContain('"access_token":"***"')
    expect(output).toMatch(/chatgpt\.com: (?!403)\d/)
    expect(output).toContain('example.org: 403')
    const kept = JSON.stringify(await database.query('select * from events, tasks'))
    expect(kept + server.process.stderr()).not.toContain(token)
  })

  it('is not pushed, whatever it looks like', async () => {
    const { id } = await server.submit({ repo: remote.path, prompt: 'Leak it', agent: 'codex' })
    const task = await server.untilDone(id)
    expect(task).toMatchObject({ outcome: 'rejected' })
    expect(JSON.stringify(task.evidence?.policy)).toMatch(/leaked\.txt.*of Nightshift itself/)
    expect(await showFile(remote.path, task.branch, 'leaked.txt')).toBeNull()
  })

  it('is not there for another agent', async () => {
    const command = `${noLogin} && test -z "$(find / -name login.json -path '*${place.folder}*' 2>/dev/null)" && echo renewed >seen.txt`
    const { id } = await server.submit({ repo: remote.path, prompt: 'Work', command })
    expect(await server.untilDone(id)).toMatchObject({ outcome: 'pushed' })
  })

  it('does not start where its cap could not be kept', async () => {
    const { id } = await server.submit({ repo: remote.path, prompt: 'Work', agent: 'codex', maxCost: 1 })
    const task = await server.untilDone(id)
    expect(task).toMatchObject({ outcome: 'invalid' })
    expect(task.reason).toContain('no cap on money can be kept')
  })

  it('that is counted does not start either where no price is known: it is told before anything is done', async () => {
    const capped = { prompt: 'Work', agent: 'claude', model: 'mystery-9', maxCost: 1 }
    const { id } = await server.submit({ repo: remote.path, ...capped })
    const task = await server.untilDone(id)
    expect(task).toMatchObject({ outcome: 'invalid' })
    expect(task.reason).toContain('No price is known for the model mystery-9')
    const told = JSON.stringify(await database.query(`select * from events where task_id = '${id}'`))
    expect(told).toContain('prepare')
    expect(told).not.toContain('clone')
  })

  it('is told by doctor', async () => {
    const { stdout } = await runCli(place, ['doctor'])
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('goes in with its own login, which its sandbox can read')
  })
})
