import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, describe } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { startGitServer, type GitServer } from '../support/git-server.ts'
import { makePlace, startServer, until, type Place, type Server } from '../support/nightshift.ts'
import { makeRepository } from '../support/repositories.ts'
import { outputOf } from '../support/worker.ts'

const secrets = {
  token: 'ghp_neverToBeSeenAnywhere0123456789',
  apiToken: 'the-token-of-the-api-0123456789',
  databasePassword: 'the-password-of-the-database',
  gitPassword: 'the-password-of-the-remote',
}

// Everything that a process can learn of others and of itself, and what git would tell of a remote.
const spy = `env; cat .git/config ~/.gitconfig; git remote -v
for file in /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/task/*/environ /proc/self/mountinfo; do
  tr '\\0' '\\n' < "$file"
done 2>/dev/null
grep -rIs -e ghp_never -e password-of -e token-of ~ /tmp /out /run /etc/nightshift* /var/lib/nightshift*
echo "spied by $1"; true`

describe('the secrets of a server', () => {
  let database: TestDatabase
  let place: Place
  let server: Server
  let remotes: GitServer

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace('')
    remotes = await startGitServer({
      root: place.folder,
      auth: { user: 'builder', password: secrets.gitPassword },
    })
    const credentials = join(place.folder, 'credentials')
    await writeFile(credentials, `http://builder:${secrets.gitPassword}@127.0.0.1:${remotes.port}\n`, {
      mode: 0o600,
    })
    const environment = {
      ...place.environment,
      DATABASE_URL: `${database.url}&password=${secrets.databasePassword}`,
      GITHUB_TOKEN: secrets.token,
      NIGHTSHIFT_TOKEN: secrets.apiToken,
      NIGHTSHIFT_GIT_CREDENTIALS: credentials,
    }
    server = await startServer({ ...place, environment })
  })

  afterAll(async () => {
    await server.process.stop()
    await remotes.close()
    await place.remove()
    await database.close()
  })

  it('are in no sandbox, no log, no event, no row and no command line, while the remote gets what it asks for', async () => {
    await makeRepository(join(place.folder, 'remote.git'), {
      files: {
        'README.md': 'a repository\n',
        'spy.sh': spy,
        '.nightshift.yaml': 'setup: sh spy.sh setup\nchecks:\n  - name: spy\n    run: sh spy.sh checks\n',
      },
    })
    const lines: string[] = []
    remotes.faults.beforePush = async () => {
      for (const pid of await readdir('/proc')) {
        if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
        lines.push(await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => ''))
      }
    }
    const headers = { authorization: `Bearer ${secrets.apiToken}`, 'content-type': 'application/json' }
    const asked = await fetch(`${server.url}/api/v1/tasks`, {
      method: 'POST',
      headers,
      body: JSON.stringify({
        repo: `${remotes.url}/remote.git`,
        prompt: 'Spy',
        command: 'sh spy.sh agent > seen.txt; cat seen.txt',
      }),
    })
    const { id } = (await asked.json()) as { id: string }
    const read = async (path: string) =>
      (await fetch(`${server.url}/api/v1/tasks/${id}${path}`, { headers })).text()
    const task = await until(async () => {
      const now = await database.store.get(id)
      return now?.state === 'done' ? now : null
    }, 'the end of the task')
    expect(task).toMatchObject({ outcome: 'pushed', reason: null })

    const output = await outputOf(database, id)
    for (const who of ['setup', 'agent', 'checks']) expect(output).toContain(`spied by ${who}`)
    expect(output).toContain('NIGHTSHIFT_TASK=')
    expect(lines.some((line) => line.includes('--force-with-lease'))).toBe(true)
    const rows = await database.query(`select tablename, query_to_xml(
      'select * from ' || quote_ident(tablename), true, false, '') from pg_tables where schemaname = 'public'`)
    const everything = [
      output,
      JSON.stringify(rows),
      lines.join('\n'),
      server.process.stderr(),
      server.process.stdout(),
      ...(await Promise.all(['', '/events', '/log', '/diff'].map(read))),
    ].join('\n')
    for (const [name, secret] of Object.entries(secrets)) {
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]) {
        expect([name, everything.includes(form)]).toEqual([name, false])
      }
    }
    // The database itself and its address are as invisible as its password.
    expect(output).not.toContain('DATABASE_URL')
    expect(output).not.toContain('GITHUB_TOKEN')
  })
})
