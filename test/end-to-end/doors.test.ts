import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noEvidence } from '../../src/model/evidence.ts'
import type { RunBatches } from '../../src/model/run.ts'
import type { RuntimeName } from '../../src/model/submission.ts'
import type { Task } from '../../src/model/task.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { daggerCli, engineHost, image } from '../dagger/engine.ts'
import { servedPlace } from '../support/served-place.ts'
import { makePlace, runCli, startServer, tasksOf, until, type Place } from '../support/nightshift.ts'
import { branchSha, listBranches, makeRepository, showFile } from '../support/repositories.ts'

/** Where the sandboxes come from; dagger where an engine is named. */
const modes: readonly RuntimeName[] = engineHost === null ? ['local'] : ['local', 'dagger']
const engine: Readonly<Record<string, string>> =
  engineHost === null
    ? {}
    : {
        _EXPERIMENTAL_DAGGER_RUNNER_HOST: engineHost,
        _EXPERIMENTAL_DAGGER_CLI_BIN: daggerCli,
        NIGHTSHIFT_IMAGE: image,
      }

interface WorkToDo {
  readonly repo: string
  /** One line, so that a plan can have it as a title. */
  readonly prompt: string
  readonly command: string
  readonly mode: RuntimeName
}

/** Every way in, as a function from the same work to the task that came of it. */
interface Door {
  readonly name: string
  /** The task is one of a run. */
  readonly ofRun: boolean
  readonly submit: (work: WorkToDo) => Promise<Task>
}

/** The work as a plan; every repository below holds it as plan.md. */
function planOf({ prompt, command }: Pick<WorkToDo, 'prompt' | 'command'>): string {
  return `## Batch 1: All\n\n### Task 1.1: ${prompt}\n\`\`\`yaml\ncommand: ${JSON.stringify(command)}\n\`\`\`\n`
}

describe('every way in leads to the same executor', () => {
  const served = servedPlace(engine)

  async function byCli(args: readonly string[]): Promise<Task> {
    const end = await runCli(served.place, ['run', ...args, '--json'])
    const [task] = tasksOf(end)
    if (task === undefined) throw new Error(end.stderr)
    expect(end.exitCode).toBe(task.outcome === 'pushed' || task.outcome === 'no_changes' ? 0 : 1)
    return task
  }

  async function byRest(path: string, body: Readonly<Record<string, unknown>>): Promise<Task> {
    const task = await served.server.submit(body, path)
    return served.server.untilDone(task.id)
  }

  /** By a route that starts a run, watched by the route that shows its batches. */
  async function byRun(
    start: string,
    batches: (id: string) => string,
    body: Readonly<Record<string, unknown>>,
  ): Promise<Task> {
    const started = await served.server.request('POST', start, body)
    const { id, exec_id } = (await started.json()) as { id?: string; exec_id?: string }
    expect(started.status).toBe(202)
    return until(async () => {
      const shown = await served.server.request('GET', batches(id ?? exec_id ?? ''))
      const run = (await shown.json()) as RunBatches
      const [task] = run.batches.flatMap((batch) => batch.tasks)
      return run.state === 'done' && task !== undefined ? task : null
    })
  }

  const doors: Door[] = [
    {
      name: 'nightshift run',
      ofRun: false,
      submit: ({ prompt, repo, command, mode }) =>
        byCli([prompt, '--repo', repo, '--command', command, '--runtime', mode]),
    },
    {
      name: 'nightshift run --plan',
      ofRun: true,
      async submit(work) {
        const file = join(served.place.folder, 'doors.md')
        await writeFile(file, planOf(work))
        return byCli(['--plan', file, '--repo', work.repo, '--runtime', work.mode])
      },
    },
    {
      name: 'nightshift submit',
      ofRun: false,
      async submit({ prompt, repo, command, mode }) {
        const environment = { ...served.place.environment, NIGHTSHIFT_URL: served.server.url }
        const args = ['submit', prompt, '--repo', repo, '--command', command, '--runtime', mode, '--json']
        const end = await runCli({ ...served.place, environment }, args)
        const [task] = tasksOf(end)
        if (task === undefined) throw new Error(end.stderr)
        return served.server.untilDone(task.id)
      },
    },
    {
      name: 'POST /tasks',
      ofRun: false,
      submit: ({ prompt, repo, command, mode }) =>
        byRest('/api/v1/tasks', { repo, prompt, command, runtime: mode }),
    },
    {
      name: 'POST /agents/run',
      ofRun: false,
      submit: ({ prompt, repo, command, mode }) =>
        byRest('/api/v1/agents/run', { task: prompt, repo, command, agent: 'command', execution_mode: mode }),
    },
    {
      name: 'POST /runs with a plan',
      ofRun: true,
      submit: ({ repo, mode, ...work }) =>
        byRun('/api/v1/runs', (id) => `/api/v1/runs/${id}/batches`, {
          repo,
          plan: planOf(work),
          runtime: mode,
        }),
    },
    {
      name: 'POST /runs with the path of a plan',
      ofRun: true,
      submit: ({ repo, mode }) =>
        byRun('/api/v1/runs', (id) => `/api/v1/runs/${id}/batches`, {
          repo,
          planPath: 'plan.md',
          runtime: mode,
        }),
    },
    {
      name: 'POST /autonomous/start',
      ofRun: true,
      submit: ({ repo, mode }) =>
        byRun('/api/v1/autonomous/start', (id) => `/api/v1/autonomous/${id}/batches`, {
          repo,
          plan_path: 'plan.md',
          execution_mode: mode,
        }),
    },
  ]

  /** What is the same whichever door the work came through. */
  function facts(task: Task) {
    const {
      state,
      outcome,
      reason,
      base,
      prompt,
      agent,
      attempt,
      priority,
      needs,
      paths,
      retryOf,
      evidence,
    } = task
    const { confirmedAt, ...proven } = evidence ?? noEvidence()
    return {
      state,
      outcome,
      reason,
      base,
      prompt,
      agent,
      attempt,
      priority,
      needs,
      paths,
      retryOf,
      branch: task.branch.replace(/\/[0-9a-z]{8}/, '/ID'),
      confirmed: confirmedAt !== null,
      evidence: {
        ...proven,
        confirmedAt: null,
        headSha: null,
        checks: proven.checks.map((check) => ({ ...check, durationMs: 0 })),
      },
    }
  }

  const cases = modes.flatMap((mode) => doors.map((door) => ({ mode, door })))
  const files = { '.nightshift.yaml': 'checks:\n  - { name: there, run: "test -e README.md" }\n' }

  it.each(cases)(
    'a task by $door.name on $mode ends pushed when the remote has its branch',
    async ({ door, mode }) => {
      const work = { prompt: 'Say hello', command: 'echo "$NIGHTSHIFT_PROMPT" > hello.txt' }
      const remote = await makeRepository(join(served.place.folder, `${nameOf(door, mode)}.git`), {
        files: { ...files, 'README.md': '# One\n', 'plan.md': planOf(work) },
      })
      const task = await door.submit({ ...work, repo: remote.path, mode })
      expect(facts(task)).toEqual({
        state: 'done',
        outcome: 'pushed',
        reason: null,
        base: 'main',
        prompt: 'Say hello',
        agent: 'command',
        attempt: 1,
        priority: 0,
        needs: [],
        paths: [],
        retryOf: null,
        branch: 'nightshift/ID-say-hello',
        confirmed: true,
        evidence: {
          ...noEvidence(),
          baseSha: remote.sha,
          headSha: null,
          commits: 1,
          files: ['hello.txt'],
          insertions: 1,
          deletions: 0,
          policy: { passed: true, violations: [] },
          checks: [expect.objectContaining({ name: 'there', command: 'test -e README.md', exitCode: 0 })],
          agent: expect.objectContaining({ name: 'command', exitCode: 0 }) as unknown,
        },
      })
      expect([task.runtime, task.runId !== null, task.batch]).toEqual([
        mode,
        door.ofRun,
        door.ofRun ? '1' : null,
      ])
      // The remote had it before it was told as done.
      expect(Date.parse(task.evidence?.confirmedAt ?? '')).toBeLessThanOrEqual(Date.parse(task.endedAt ?? ''))
      expect(await branchSha(remote.path, task.branch)).toBe(task.evidence?.headSha)
      expect(await showFile(remote.path, task.branch, 'hello.txt')).toBe('Say hello\n')
      expect(await listBranches(remote.path)).toEqual(['main', task.branch])
      expect(await branchSha(remote.path, 'main')).toBe(remote.sha)
    },
  )

  it.each(cases)(
    'a task by $door.name on $mode that does nothing is never told as work done',
    async ({ door, mode }) => {
      const work = { prompt: 'Do nothing', command: 'echo "all done, pull request opened!"' }
      const remote = await makeRepository(join(served.place.folder, `${nameOf(door, mode)}-nothing.git`), {
        files: { 'plan.md': planOf(work) },
      })
      const task = await door.submit({ ...work, repo: remote.path, mode })
      expect(facts(task)).toMatchObject({ state: 'done', outcome: 'no_changes', confirmed: false })
      expect(task.evidence).toMatchObject({ headSha: null, files: [], baseSha: remote.sha })
      expect(await listBranches(remote.path)).toEqual(['main'])
    },
  )

  it.each(cases)(
    'a task by $door.name on $mode that fails says why in the same words',
    async ({ door, mode }) => {
      const work = { prompt: 'Fail', command: 'exit 3' }
      const remote = await makeRepository(join(served.place.folder, `${nameOf(door, mode)}-fails.git`), {
        files: { 'plan.md': planOf(work) },
      })
      const task = await door.submit({ ...work, repo: remote.path, mode })
      expect(facts(task)).toMatchObject({ state: 'done', outcome: 'agent_failed', confirmed: false })
      expect(task.reason).toMatch(/^The agent failed: .*code 3/)
      expect(task.evidence?.agent?.exitCode).toBe(3)
      expect(await listBranches(remote.path)).toEqual(['main'])
    },
  )

  it('is running within a second of the answer, with slots free', async () => {
    const remote = await makeRepository(join(served.place.folder, 'soon.git'))
    const waits: number[] = []
    for (let number = 0; number < 3; number += 1) {
      const task = await byRest('/api/v1/tasks', { repo: remote.path, prompt: 'Soon', command: 'true' })
      waits.push(Date.parse(task.startedAt ?? '') - Date.parse(task.createdAt))
    }
    // The best of three: the machine may be busy with something else.
    expect(Math.min(...waits)).toBeLessThan(1000)
  })
})

function nameOf(door: Door, mode: RuntimeName): string {
  return `${door.name.replaceAll(/\W/g, '')}-${mode}`
}

describe('a push that only says that it was done', () => {
  let database: TestDatabase
  let place: Place

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url, engine)
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

  it('ends error by run, by POST /tasks and by POST /agents/run alike, on every runtime, since the remote is asked', async () => {
    const remote = await makeRepository(join(place.folder, 'lied-to.git'))
    const liar = await lyingGit()
    const server = await startServer(liar)
    const work = { repo: remote.path, command: 'echo one > one.txt' }
    const byTasks = async (runtime: RuntimeName) =>
      server.untilDone((await server.submit({ ...work, prompt: 'One', runtime })).id)
    const [run, ...posted] = await Promise.all([
      runCli(liar, [
        'run',
        'One',
        '--repo',
        remote.path,
        '--command',
        work.command,
        '--runtime',
        'local',
        '--json',
      ]),
      ...modes.map(byTasks),
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
