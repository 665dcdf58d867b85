import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Run, RunBatches } from '../../src/model/run.ts'
import type { Task } from '../../src/model/task.ts'
import { runCli, startServer, tasksOf, until, type Server } from '../support/nightshift.ts'
import {
  branchSha,
  commitTo,
  git,
  listBranches,
  makeCheckout,
  makeRepository,
  showFile,
} from '../support/repositories.ts'
import { servedPlace } from '../support/served-place.ts'

const write = 'echo "$NIGHTSHIFT_PROMPT" | head -1 >> log.txt'

/** A plan of two batches: what 2.1 makes builds on 1.1, 2.2 on nothing. */
const plan = `---
command: ${JSON.stringify(write)}
---
# Two batches

## Batch 1: First
### Task 1.1: One
### Task 1.2: Two

## Batch 2: Second
### Task 2.1: Three
\`\`\`yaml
needs: ["1.1"]
\`\`\`
### Task 2.2: Four
`

function byPlanId(tasks: readonly Task[]): Record<string, Task> {
  return Object.fromEntries(tasks.map((task) => [task.planTask ?? '', task]))
}

async function run(server: Server, id: string): Promise<Run> {
  return (await (await server.request('GET', `/api/v1/runs/${id}`)).json()) as Run
}

async function untilOver(server: Server, id: string): Promise<RunBatches> {
  await until(async () => ((await run(server, id)).state === 'done' ? true : null), `the end of run ${id}`)
  return (await (await server.request('GET', `/api/v1/runs/${id}/batches`)).json()) as RunBatches
}

async function start(server: Server, body: unknown, path = '/api/v1/runs'): Promise<string> {
  const response = await server.request('POST', path, body)
  if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`)
  const answer = (await response.json()) as { id?: string; exec_id?: string }
  return answer.id ?? answer.exec_id ?? ''
}

describe('a plan', () => {
  const served = servedPlace()

  async function expectDone(tasks: readonly Task[], remote: { path: string; sha: string }): Promise<void> {
    const { '1.1': one, '1.2': two, '2.1': three, '2.2': four } = byPlanId(tasks)
    expect(tasks.map((task) => [task.planTask, task.outcome, task.batch])).toEqual([
      ['1.1', 'pushed', '1'],
      ['1.2', 'pushed', '1'],
      ['2.1', 'pushed', '2'],
      ['2.2', 'pushed', '2'],
    ])
    expect(new Set(tasks.map((task) => task.runId)).size).toBe(1)
    const firstEnd = Math.max(...[one, two].map((task) => Date.parse(task?.endedAt ?? '')))
    const secondStart = Math.min(...[three, four].map((task) => Date.parse(task?.startedAt ?? '')))
    expect(secondStart).toBeGreaterThanOrEqual(firstEnd)
    expect(three?.needs).toEqual([one?.id])
    expect(three?.evidence?.baseSha).toBe(one?.evidence?.headSha)
    expect(await showFile(remote.path, three?.branch ?? '', 'log.txt')).toBe('One\nThree\n')
    expect(four?.evidence?.baseSha).toBe(remote.sha)
    expect(await showFile(remote.path, four?.branch ?? '', 'log.txt')).toBe('Four\n')
    expect(await branchSha(remote.path, 'main')).toBe(remote.sha)
  }

  it('of a file is carried out by run, and "." is the repository that holds it', async () => {
    const remote = await makeRepository(join(served.place.folder, 'by-run.git'))
    const checkout = await makeCheckout(remote.path, join(served.place.folder, 'by-run'))
    await mkdir(join(checkout, 'plans'))
    const file = join(checkout, 'plans', 'night.md')
    await writeFile(file, plan.replace('---\n', '---\nrepo: .\n').replaceAll('\n', '\r\n'))
    const end = await runCli(served.place, ['run', '--plan', file, '--json'])
    expect([end.exitCode, end.stderr]).toEqual([0, expect.any(String)])
    await expectDone(tasksOf(end), { path: join(checkout, '.git'), sha: remote.sha })
    expect(end.stderr).toContain('no earlier batch was merged, and it needs no task: it starts from main')
    expect((JSON.parse(end.stdout) as { runId: string }).runId).toBe(tasksOf(end)[0]?.runId)
  })

  it('of the repository itself is read at the base by POST /runs', async () => {
    const remote = await makeRepository(join(served.place.folder, 'by-path.git'), {
      files: { 'plans/night.md': plan },
    })
    const id = await start(served.server, { repo: remote.path, planPath: 'plans/night.md' })
    const { batches, ok } = await untilOver(served.server, id)
    expect(ok).toBe(true)
    await expectDone(
      batches.flatMap((batch) => batch.tasks),
      remote,
    )
    expect(batches.map(({ id: name, number, title, state }) => [name, number, title, state])).toEqual([
      ['1', 1, 'First', 'done'],
      ['2', 2, 'Second', 'done'],
    ])
    expect(await run(served.server, id)).toMatchObject({
      state: 'done',
      ok: true,
      title: 'Two batches',
      planPath: 'plans/night.md',
      tasks: 4,
      outcomes: { pushed: 4 },
    })
    const listed = await served.server.request('GET', `/api/v1/tasks?runId=${id}`)
    expect(((await listed.json()) as { items: Task[] }).items).toHaveLength(4)
  })

  it('starts from what its batches merged or not, though the base moves meanwhile', async () => {
    const remote = await makeRepository(join(served.place.folder, 'moving.git'))
    const slow = plan.replace(JSON.stringify(write), JSON.stringify(`${write}; sleep 1`))
    const id = await start(served.server, { repo: remote.path, plan: slow })
    await until(async () => ((await run(served.server, id)).states.running > 0 ? true : null))
    await until(async () => {
      const tasks = (await listOf(served.server, id)).filter((task) => task.evidence?.baseSha !== undefined)
      return tasks.length > 0 ? true : null
    })
    await commitTo(remote.path, 'main', { 'moved.txt': 'moved\n' })
    const { batches } = await untilOver(served.server, id)
    const { '2.2': four } = byPlanId(batches.flatMap((batch) => batch.tasks))
    expect(four?.evidence?.baseSha).toBe(remote.sha)
  })

  it('is started and watched by the older routes, with their names', async () => {
    const remote = await makeRepository(join(served.place.folder, 'older.git'), {
      files: { 'plan.md': plan },
    })
    const id = await start(
      served.server,
      { repo: remote.path, plan_path: 'plan.md', execution_mode: 'local' },
      '/api/v1/autonomous/start',
    )
    await untilOver(served.server, id)
    const answer = await served.server.request('GET', `/api/v1/autonomous/${id}/batches`)
    const { exec_id, batches } = (await answer.json()) as RunBatches & { exec_id: string }
    expect(exec_id).toBe(id)
    const tasks = batches.flatMap((batch) => batch.tasks)
    expect(tasks.map((task) => task.runtime)).toEqual(['local', 'local', 'local', 'local'])
    await expectDone(tasks, remote)
  })

  it('is refused as a whole, naming fields and lines', async () => {
    const remote = await makeRepository(join(served.place.folder, 'refused.git'), {
      files: {
        'plan.md':
          '## Batch 1: A\n### Task 1: X\n```yaml\nagent: claude\n```\n### Task 2: Y\n```yaml\nneeds: [7]\n```\n',
      },
    })
    const refused = async (body: unknown, path = '/api/v1/runs') => {
      const response = await served.server.request('POST', path, body)
      const problem = (await response.json()) as {
        errors?: { field: string; message: string; line?: number }[]
      }
      return [
        response.status,
        problem.errors?.map(({ field, message, line }) => `${field} ${line} ${message}`),
      ]
    }
    const { path: repo } = remote
    expect(await refused({ repo, planPath: 'plan.md' })).toEqual([
      422,
      [expect.stringContaining('planPath 8 plan.md:8:1: needs: task 2: there is no task 7 in this plan')],
    ])
    expect(
      await refused({ repo, plan_path: 'plan.md', execution_mode: 'local' }, '/api/v1/autonomous/start'),
    ).toEqual([422, [expect.stringContaining('plan_path 8 plan.md:8')]])
    expect(await refused({ repo, planPath: 'none.md' })).toEqual([
      422,
      [expect.stringContaining('planPath undefined there is no file none.md at main')],
    ])
    expect(await refused({ repo, planPath: '../../etc/passwd' })).toEqual([
      422,
      [expect.stringContaining('planPath undefined must be a path within the repository')],
    ])
    expect(await refused({ repo, plan: '# Nothing\n' })).toEqual([
      422,
      [expect.stringContaining('the plan has no task')],
    ])
    expect(await refused({ repo })).toEqual([422, [expect.stringContaining('planPath undefined is needed')]])
    expect(await refused({ plan })).toEqual([422, [expect.stringContaining('repo undefined is needed')]])
    expect(await refused({ repo, plan, planPath: 'plan.md' })).toEqual([
      422,
      [expect.stringContaining('plan')],
    ])
    expect(await refused({ repo, plan, timout: '1m' })).toEqual([
      422,
      [expect.stringContaining('timout undefined')],
    ])
    expect(await refused({ repo, planPath: 'plan.md', base: 'gone' })).toEqual([
      422,
      [expect.stringContaining('base undefined The base branch gone does not exist')],
    ])
    const bad = plan.replace(JSON.stringify(write), '"true"\nbranch: "a..b"')
    expect(await refused({ repo, plan: bad })).toEqual([422, [expect.stringContaining('plan 3 ')]])
    expect(await refused({ repo, plan, runtime: 'moon' })).toEqual([
      422,
      [expect.stringContaining('runtime undefined')],
    ])
    expect(await listBranches(repo)).toEqual(['main'])
  })

  it('lets a task start from all that it needs, together, and tells where that does not go together', async () => {
    const remote = await makeRepository(join(served.place.folder, 'needs.git'))
    const needs = `## Batch 1: A
### Task 1: One
\`\`\`yaml
command: echo one > one.txt; echo one > both.txt
\`\`\`
### Task 2: Two
\`\`\`yaml
command: echo two > two.txt
\`\`\`
### Task 3: Three
\`\`\`yaml
command: echo three > both.txt
\`\`\`
## Batch 2: B
### Task 4: Both
\`\`\`yaml
needs: [1, 2]
command: cat one.txt two.txt > sum.txt
\`\`\`
### Task 5: Neither
\`\`\`yaml
needs: [1, 3]
command: echo never > never.txt
\`\`\`
`
    const id = await start(served.server, { repo: remote.path, plan: needs })
    const tasks = byPlanId((await untilOver(served.server, id)).batches.flatMap((batch) => batch.tasks))
    const { '1': one, '2': two, '4': both, '5': neither } = tasks
    expect([both?.outcome, both?.reason, both?.evidence?.files]).toEqual(['pushed', null, ['sum.txt']])
    expect(await showFile(remote.path, both?.branch ?? '', 'sum.txt')).toBe('one\ntwo\n')
    for (const need of [one, two]) {
      await git(remote.path, ['merge-base', '--is-ancestor', need?.branch ?? '', both?.branch ?? ''])
    }
    expect([neither?.outcome, neither?.evidence?.headSha]).toEqual(['conflict', null])
    expect(neither?.reason).toMatch(
      /^What it needs does not go together: .* change the same places, in both\.txt\.$/,
    )
    expect(await listBranches(remote.path)).not.toContain(neither?.branch)
  })

  it('with one key is carried out once', async () => {
    const remote = await makeRepository(join(served.place.folder, 'key.git'))
    const body = { repo: remote.path, plan: plan.replace(JSON.stringify(write), '"true"') }
    const headers = { 'idempotency-key': 'night-1' }
    const both = await Promise.all(
      [1, 2].map(async () => {
        const response = await served.server.request('POST', '/api/v1/runs', body, headers)
        return { status: response.status, id: ((await response.json()) as { id: string }).id }
      }),
    )
    expect(both[0]).toEqual(both[1])
    expect(both[0]?.status).toBe(202)
    const other = await served.server.request('POST', '/api/v1/runs', { ...body, base: 'main' }, headers)
    expect(other.status).toBe(422)
    await untilOver(served.server, both[0]?.id ?? '')
  })

  it('is cancelled as a whole: what runs ends, and nothing new starts', async () => {
    const remote = await makeRepository(join(served.place.folder, 'cancel.git'))
    const slow = plan.replace(JSON.stringify(write), '"sleep 60"')
    const id = await start(served.server, { repo: remote.path, plan: slow })
    await until(async () => ((await run(served.server, id)).states.running === 2 ? true : null))
    const response = await served.server.request('POST', `/api/v1/runs/${id}/cancel`)
    expect([response.status, ((await response.json()) as Run).states.held]).toEqual([200, 0])
    const { batches } = await untilOver(served.server, id)
    expect(batches.flatMap((batch) => batch.tasks.map((task) => task.outcome))).toEqual(
      Array.from({ length: 4 }, () => 'cancelled'),
    )
  })

  it('is done again where it failed, and only there', async () => {
    const remote = await makeRepository(join(served.place.folder, 'retry.git'))
    // Fails until the base has a file, which a person adds.
    const flaky = plan.replace(
      '### Task 1.1: One',
      `### Task 1.1: One\n\`\`\`yaml\ncommand: test -e ready && ${write}\nbase: next\n\`\`\``,
    )
    await git(remote.path, ['branch', 'next', 'main'])
    const id = await start(served.server, { repo: remote.path, plan: flaky })
    const first = byPlanId((await untilOver(served.server, id)).batches.flatMap((batch) => batch.tasks))
    expect([
      first['1.1']?.outcome,
      first['1.2']?.outcome,
      first['2.1']?.outcome,
      first['2.2']?.outcome,
    ]).toEqual(['agent_failed', 'pushed', 'skipped', 'pushed'])
    expect(first['2.1']?.reason).toContain(`needs task ${first['1.1']?.id}, which ended agent_failed`)
    expect(await run(served.server, id)).toMatchObject({ state: 'done', ok: false })
    const again = await served.server.request('POST', `/api/v1/runs/${id}/retry`)
    expect(again.status).toBe(202)
    const second = byPlanId((await untilOver(served.server, id)).batches.flatMap((batch) => batch.tasks))
    expect(second['1.2']?.id).toBe(first['1.2']?.id)
    expect(second['1.1']?.retryOf).toBe(first['1.1']?.id)
    expect(second['2.1']?.needs).toEqual([second['1.1']?.id])
    expect([second['1.1']?.outcome, second['2.1']?.outcome]).toEqual(['agent_failed', 'skipped'])
    const ready = await commitTo(remote.path, 'next', { ready: 'yes\n' })
    expect((await served.server.request('POST', `/api/v1/runs/${id}/retry`)).status).toBe(202)
    const { ok, batches } = await untilOver(served.server, id)
    const third = byPlanId(batches.flatMap((batch) => batch.tasks))
    expect([ok, third['1.1']?.outcome, third['2.1']?.outcome]).toEqual([true, 'pushed', 'pushed'])
    expect(third['1.1']?.evidence?.baseSha).toBe(ready)
    expect(third['2.1']?.evidence?.baseSha).toBe(third['1.1']?.evidence?.headSha)
    expect((await served.server.request('POST', `/api/v1/runs/${id}/retry`)).status).toBe(409)
  })

  it('goes on exactly where it was after its server was killed', async () => {
    const remote = await makeRepository(join(served.place.folder, 'killed.git'))
    const slow = plan.replace(JSON.stringify(write), JSON.stringify(`${write}; sleep 1`))
    const id = await start(served.server, { repo: remote.path, plan: slow })
    await until(async () => ((await run(served.server, id)).states.running > 0 ? true : null))
    const other = await startServer(served.place)
    await served.server.process.stop('SIGKILL')
    const { batches, ok } = await untilOver(other, id)
    expect(ok).toBe(true)
    await expectDone(
      batches.flatMap((batch) => batch.tasks),
      remote,
    )
    expect(await listBranches(remote.path)).toHaveLength(5)
    await other.process.stop()
  })
})

async function listOf(server: Server, runId: string): Promise<Task[]> {
  const response = await server.request('GET', `/api/v1/tasks?runId=${runId}`)
  return ((await response.json()) as { items: Task[] }).items
}
