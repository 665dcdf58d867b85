import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, runCli, startCli, tasksOf, until, type Place } from '../support/nightshift.ts'
import { processesWith } from '../support/processes.ts'
import { branchSha, listBranches, makeRepository } from '../support/repositories.ts'

describe('nightshift run, as a shell starts it', () => {
  let database: TestDatabase
  let place: Place
  let repo: string

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url)
    repo = (await makeRepository(join(place.folder, 'remote.git'))).path
  })

  afterAll(async () => {
    await place.remove()
    await database.close()
  })

  const flags = (command: string) => ['--repo', repo, '--command', command]

  async function taskCount(): Promise<unknown> {
    return (await database.query('select count(*)::int as count from tasks'))[0]?.['count']
  }

  it('does several prompts, --parallel at a time, and ends with 0', async () => {
    const prompts = ['one', 'two', 'three', 'four', 'five']
    const command = 'sleep 0.5; echo "$NIGHTSHIFT_PROMPT" > "$NIGHTSHIFT_PROMPT.txt"'
    const end = await runCli(place, ['run', ...prompts, ...flags(command), '--parallel', '2', '--json'])
    expect(end.exitCode).toBe(0)
    const tasks = tasksOf(end)
    expect(tasks.map((task) => task.prompt)).toEqual(prompts)
    for (const task of tasks) {
      expect(task).toMatchObject({ state: 'done', outcome: 'pushed' })
      expect(task.evidence?.files).toEqual([`${task.prompt}.txt`])
      expect(await branchSha(repo, task.branch)).toBe(task.evidence?.headSha)
    }
    const spans = tasks.map((task) => [task.startedAt ?? '', task.endedAt ?? ''] as const)
    const atOnce = spans.map(([from]) => spans.filter(([start, over]) => start <= from && from < over).length)
    expect(Math.max(...atOnce)).toBe(2)
  })

  it('ends with 1 where one task ends badly, and still does the others', async () => {
    const command = 'test "$NIGHTSHIFT_PROMPT" = good && echo 1 > one.txt'
    const end = await runCli(place, ['run', 'good', 'bad', ...flags(command)])
    expect(end.exitCode).toBe(1)
    expect(end.stdout).toMatch(/^[0-9a-z]{8} +pushed .*\n[0-9a-z]{8} +agent_failed /m)
    expect(end.stderr).toContain('1 of 2 did not end well')
  })

  it('ends with 2 and makes no task where it cannot be done as typed', async () => {
    const before = await taskCount()
    await mkdir(join(place.folder, 'plain'))
    const cases = [
      { args: ['run', ...flags('true')], says: /prompt/ },
      { args: ['run', 'x', ...flags('true'), '--parallel', '0'], says: /--parallel/ },
      { args: ['run', 'x', ...flags('true'), '--parallel', 'many'], says: /--parallel/ },
      { args: ['run', 'x', ...flags('true'), '--timeout', 'soon'], says: /--timeout/ },
      { args: ['run', 'x', ...flags('true'), '--no-such-flag'], says: /--no-such-flag/ },
      { args: ['run', 'x', ...flags('true'), '--agent', 'nobody'], says: /--agent/ },
      { args: ['run', 'x', ...flags('true'), '--branch', 'a..b'], says: /--branch/ },
      { args: ['run', 'x', '--command', 'true'], says: /--repo/ },
      { args: ['run', 'x', '--repo', 'plain', '--command', 'true'], says: /--repo/ },
      { args: ['run', 'x', '--repo', 'absent', '--command', 'true'], says: /--repo/ },
      { args: ['run', 'x', '--repo', 'ext::sh -c true', '--command', 'true'], says: /--repo/ },
    ]
    const ends = await Promise.all(cases.map(({ args }) => runCli(place, args)))
    for (const [index, { args, says }] of cases.entries()) {
      const end = ends[index]
      expect([args, end?.exitCode, end?.stdout]).toEqual([args, 2, ''])
      expect(end?.stderr).toMatch(says)
      expect(end?.stderr).not.toMatch(/\n\s+at /)
    }
    const json = await runCli(place, ['run', 'x', ...flags('true'), '--parallel', '0', '--json'])
    expect([json.exitCode, json.stderr]).toEqual([2, ''])
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { exitCode: 2 } })
    expect(await taskCount()).toBe(before)
  })

  it.skipIf(process.getuid?.() !== 0)(
    'tells of a missing bubblewrap, and what to type, before anything starts (hiding it needs root)',
    async () => {
      const before = await taskCount()
      const hide =
        'for f in /usr/bin/bwrap /usr/local/bin/bwrap; do [ ! -e $f ] || mount --bind /dev/null $f; done; exec "$@"'
      const wrapper = ['unshare', '--mount', 'sh', '-c', hide, 'sh']
      const end = await startCli(place, ['run', 'x', ...flags('true')], { wrapper }).ended
      expect([end.exitCode, end.stdout]).toEqual([2, ''])
      expect(end.stderr).toMatch(/bubblewrap[^]*apt-get install/)
      expect(await taskCount()).toBe(before)
    },
  )

  it('ends with 3 where the database cannot be had', async () => {
    const away = {
      ...place,
      environment: { ...place.environment, DATABASE_URL: 'postgres://nobody:secret-word@127.0.0.1:9/none' },
    }
    const end = await runCli(away, ['run', 'x', ...flags('true')])
    expect([end.exitCode, end.stdout]).toEqual([3, ''])
    expect(end.stderr).toMatch(/database/i)
    expect(end.stderr).not.toContain('secret-word')
  })

  it('works on to the end where nobody reads its output any more', async () => {
    const before = await listBranches(repo)
    const started = startCli(place, [
      'run',
      'quiet',
      ...flags('sleep 1; echo "$NIGHTSHIFT_TASK" > quiet.txt'),
    ])
    await until(() => (started.stderr().includes('agent') ? true : null), 'its agent')
    started.child.stdout?.destroy()
    const end = await started.ended
    expect(end.exitCode).toBe(0)
    expect(await listBranches(repo)).toHaveLength(before.length + 1)
  })

  it('does a prompt from stdin in the folder that it is started in', async () => {
    const end = await runCli(
      place,
      ['run', '--prompt-file', '-', '--repo', '.', '--command', 'cat README.md', '--json'],
      { stdin: 'From stdin\n', cwd: repo },
    )
    expect([end.exitCode, tasksOf(end)[0]?.outcome]).toEqual([0, 'no_changes'])
  })

  it('cancels at Ctrl-C: its tasks end cancelled, with 130, and nothing of them is left', async () => {
    const command = 'echo "here it is"; sleep 600 & sleep 600'
    const started = startCli(place, ['run', 'a', 'b', 'c', ...flags(command), '--parallel', '2', '--json'])
    await until(async () => {
      const rows = await database.query(
        `select distinct task_id from events where type = 'output' and text like 'here it is%'`,
      )
      return rows.length === 2 ? true : null
    }, 'two agents')
    const end = await started.stop('SIGINT')
    expect(end.exitCode).toBe(130)
    const tasks = tasksOf(end)
    expect(tasks).toHaveLength(3)
    for (const task of tasks) {
      expect(task).toMatchObject({ state: 'done', outcome: 'cancelled' })
      expect(await database.store.get(task.id)).toEqual(task)
      expect(await processesWith(task.id)).toEqual([])
      expect(await branchSha(repo, task.branch)).toBeNull()
    }
    expect(await readdir(join(place.environment['NIGHTSHIFT_HOME'] ?? '', 'work'))).toEqual([])
  })
})
