import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { servedPlace } from '../support/served-place.ts'
import { makePlace, runCli, startServer, tasksOf, type Place } from '../support/nightshift.ts'
import { branchSha, listBranches, makeRepository, showFile } from '../support/repositories.ts'

/** Every way in, as a function from the same work to the task that came of it. */
interface Door {
  readonly name: string
  readonly submit: (repo: string, prompt: string, command: string) => Promise<Task>
}

describe('every way in leads to the same executor', () => {
  const served = servedPlace()

  const doors: Door[] = [
    {
      name: 'nightshift run',
      async submit(repo, prompt, command) {
        const end = await runCli(served.place, [
          'run',
          prompt,
          '--repo',
          repo,
          '--command',
          command,
          '--json',
        ])
        const [task] = tasksOf(end)
        if (task === undefined) throw new Error(end.stderr)
        expect(end.exitCode).toBe(task.outcome === 'pushed' || task.outcome === 'no_changes' ? 0 : 1)
        return task
      },
    },
    {
      name: 'POST /tasks',
      submit: async (repo, prompt, command) =>
        served.server.untilDone((await served.server.submit({ repo, prompt, command })).id),
    },
    {
      name: 'POST /agents/run',
      async submit(repo, prompt, command) {
        const body = { task: prompt, repo, command, agent: 'command', execution_mode: 'local' }
        return served.server.untilDone((await served.server.submit(body, '/api/v1/agents/run')).id)
      },
    },
    {
      name: 'nightshift submit',
      async submit(repo, prompt, command) {
        const talking = {
          ...served.place,
          environment: { ...served.place.environment, NIGHTSHIFT_URL: served.server.url },
        }
        const end = await runCli(talking, ['submit', prompt, '--repo', repo, '--command', command, '--json'])
        const [task] = tasksOf(end)
        if (task === undefined) throw new Error(end.stderr)
        return served.server.untilDone(task.id)
      },
    },
  ]

  for (const door of doors) {
    it(`a task by ${door.name} ends pushed when the remote has its branch`, async () => {
      const remote = await makeRepository(join(served.place.folder, `${door.name.replaceAll(/\W/g, '')}.git`))
      const task = await door.submit(remote.path, 'Say hello', 'echo "$NIGHTSHIFT_PROMPT" > hello.txt')
      expect(task).toMatchObject({
        state: 'done',
        outcome: 'pushed',
        reason: null,
        base: 'main',
        agent: 'command',
      })
      expect(task.branch).toMatch(/^nightshift\/[0-9a-z]{8}-say-hello$/)
      expect(task.evidence).toMatchObject({
        baseSha: remote.sha,
        headSha: await branchSha(remote.path, task.branch),
        commits: 1,
        files: ['hello.txt'],
        insertions: 1,
        deletions: 0,
        policy: { passed: true, violations: [] },
        checks: [],
        agent: { name: 'command', exitCode: 0 },
        pullRequest: null,
      })
      expect(Date.parse(task.evidence?.confirmedAt ?? '')).toBeGreaterThan(Date.parse(task.createdAt))
      expect(await showFile(remote.path, task.branch, 'hello.txt')).toBe('Say hello\n')
      expect(await listBranches(remote.path)).toEqual(['main', task.branch])
      expect(await branchSha(remote.path, 'main')).toBe(remote.sha)
    })

    it(`a task by ${door.name} that does nothing is never told as work done`, async () => {
      const remote = await makeRepository(
        join(served.place.folder, `${door.name.replaceAll(/\W/g, '')}-nothing.git`),
      )
      const task = await door.submit(remote.path, 'Do nothing', 'echo "all done, pull request opened!"')
      expect(task).toMatchObject({ state: 'done', outcome: 'no_changes' })
      expect(task.evidence).toMatchObject({ headSha: null, confirmedAt: null, files: [] })
      expect(await listBranches(remote.path)).toEqual(['main'])
    })
  }
})

describe('a push that only says that it was done', () => {
  let database: TestDatabase
  let place: Place

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url)
  })

  afterAll(async () => {
    await place.remove()
    await database.close()
  })

  // A git that answers "pushed" without pushing: what a broken proxy, wrapper or server can do.
  async function lyingGit(): Promise<Place> {
    const folder = join(place.folder, 'lying-bin')
    await mkdir(folder, { recursive: true })
    const script = `#!/bin/sh
for word; do
  [ "$word" = push ] && push=yes
done
[ -n "$push" ] || exec /usr/bin/git "$@"
echo 'To somewhere'
printf '*\\t%s\\t[new branch]\\n' "$word"
echo Done
`
    await writeFile(join(folder, 'git'), script)
    await chmod(join(folder, 'git'), 0o755)
    return { ...place, environment: { ...place.environment, PATH: `${folder}:${place.environment['PATH']}` } }
  }

  it('ends error by run, by POST /tasks and by POST /agents/run alike, since the remote is asked', async () => {
    const remote = await makeRepository(join(place.folder, 'lied-to.git'))
    const liar = await lyingGit()
    const server = await startServer(liar)
    const work = { repo: remote.path, command: 'echo one > one.txt' }
    const [run, ...posted] = await Promise.all([
      runCli(liar, ['run', 'One', '--repo', remote.path, '--command', work.command, '--json']),
      server.submit({ ...work, prompt: 'One' }).then((task) => server.untilDone(task.id)),
      server
        .submit({ ...work, task: 'One', agent: 'command', execution_mode: 'local' }, '/api/v1/agents/run')
        .then((task) => server.untilDone(task.id)),
    ])
    await server.process.stop()
    expect(run.exitCode).toBe(1)
    for (const task of [...tasksOf(run), ...posted]) {
      expect(task).toMatchObject({ state: 'done', outcome: 'error', evidence: { confirmedAt: null } })
      expect(task.reason).toContain('absent')
    }
    expect(await listBranches(remote.path)).toEqual(['main'])
    // Its three retries wait 2, 8 and 30 s.
  }, 180_000)
})
