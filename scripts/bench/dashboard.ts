import { Client } from 'pg'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeRepository } from '../../test/support/repositories.ts'
import { startBenchDatabase } from './database.ts'
import { startBenchServer, type BenchServer } from './server.ts'

export interface Row {
  readonly what: string
  readonly measured: string
  readonly beside: string
  readonly goal: string
}

const asks = 20
const runId = '01RUN000000000000000000000'

/** Pages at 100,000 tasks of all kinds. */
export async function pages(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-bench-'))
  const database = await startBenchDatabase(folder)
  await (await startBenchServer(folder, 1, database.url)).close()
  const client = new Client({ connectionString: database.url })
  await client.connect()
  await client.query(fill)
  await client.query(makeRun)
  await client.query('vacuum analyze')
  await client.end()
  const server = await startBenchServer(folder, 1, database.url)
  const rows: Row[] = []
  const looks = [
    ['overview', '/'],
    ['overview of 7 days', '/?hours=168'],
    ['list', '/tasks'],
    ['list by state and outcome', '/tasks?state=done&outcome=rejected'],
    ['list by words that are rare', '/tasks?text=number+77777'],
    ['list by a word that all have', '/tasks?text=work'],
    ['list by a part of a repository', '/tasks?repo=repo-7'],
    ['GET /stats', '/api/v1/stats'],
    ['batches of a run of 1,000', `/api/v1/runs/${runId}/batches`],
    ['/metrics', '/metrics'],
  ] as const
  for (const [name, path] of looks) {
    const took: number[] = []
    for (let ask = 0; ask < asks; ask += 1) {
      const started = performance.now()
      const response = await fetch(server.url + path, { headers: { accept: 'text/html' } })
      if (!response.ok) throw new Error(`${path}: ${response.status}`)
      await response.text()
      took.push(performance.now() - started)
    }
    took.sort((a, b) => a - b)
    rows.push({
      what: `${name}, 100,000 tasks`,
      measured: `p50 ${took[asks / 2]?.toFixed(0)} ms, max ${took.at(-1)?.toFixed(0)} ms`,
      beside: '',
      goal: path.endsWith('/batches') ? '< 50 ms' : '< 100 ms',
    })
  }
  await server.close()
  await database.close()
  await rm(folder, { recursive: true, force: true })
  return rows
}

// Spread over a hundred days and 40 repositories, a twentieth of them ended badly, with the evidence of a small change.
const fill = `
  insert into tasks (id, state, outcome, reason, pool, lane, repo, base, branch, prompt, agent, runtime, priority, needs,
    paths, path_prefixes, options, asked, attempt, evidence, intended, created_at, started_at, ended_at)
  select '01' || lpad(upper(to_hex(number)), 24, '0'), 'done',
    case when number % 20 = 0 then 'rejected' when number % 7 = 0 then 'no_changes' else 'pushed' end,
    case when number % 20 = 0 then 'The work breaks the policy: a test is gone.' end,
    '', 'lane', 'https://git.example.org/team/repo-' || number % 40 || '.git', 'main', 'nightshift/' || number,
    'Do the work of number ' || number || ' and say what was done, with tests for everything that changed', 'command', 'local',
    0, '{}', '{}', '{}', '{}', '{}', 1,
    jsonb_build_object('headSha', repeat('a', 40), 'baseSha', repeat('b', 40), 'confirmedAt', '2026-01-01T00:00:00Z',
      'commits', 1, 'files', jsonb_build_array('src/a.ts', 'src/b.ts'), 'insertions', 12, 'deletions', 3,
      'checks', '[]'::jsonb, 'agent', jsonb_build_object('name', 'command', 'costUsd', 0.25, 'inputTokens', 9000, 'outputTokens', 700)),
    array[repeat('a', 40) || ' nightshift/' || number],
    at, at, at + interval '5 minutes'
  from (select number, now() - (100000 - number) * interval '86 s' as at from generate_series(1, 100000) number) made;
  insert into events (task_id, attempt, at, type, step, text, data)
  select id, 1, created_at, type, 'agent', '', '{"durationMs": 1200, "ok": true}' from tasks,
    unnest(array['step.started', 'step.ended']) type`

// A run that holds the last thousand of them, in twenty batches.
const makeRun = `
  insert into runs (id, title, repo, batches) select '${runId}', 'A night', '.',
    jsonb_agg(jsonb_build_object('id', number::text, 'title', 'Batch ' || number)) from generate_series(1, 20) number;
  update tasks set run_id = '${runId}', batch = (1 + place / 50)::text, batch_number = place / 50, plan_order = place,
    plan_task = place::text
  from (select id, row_number() over (order by id desc)::int - 1 as place from tasks) numbered
  where numbered.id = tasks.id and place < 1000`

const readers = 200
const lines = 20_000
/** Prints 1,000 lines a second, without losing time to what it prints them with. */
const talk = `node -e '
  let n = 0; const started = Date.now();
  const timer = setInterval(() => {
    const due = Math.min(${lines}, Date.now() - started);
    let text = ""; while (n < due) text += "line " + n++ + " of what is printed by a task\\n";
    process.stdout.write(text);
    if (n === ${lines}) clearInterval(timer);
  }, 10)'`

/** A task that prints 1,000 lines a second, alone and with 200 readers. */
export async function output(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-bench-'))
  const remote = await makeRepository(join(folder, 'remote.git'))
  const database = await startBenchDatabase(folder)
  const server = await startBenchServer(folder, 1, database.url)
  const work = { repo: remote.path, command: talk, prompt: 'Talk' }
  const alone = await timeTask(server, work, 0)
  const watched = await timeTask(server, work, readers)
  await server.close()
  await database.close()
  await rm(folder, { recursive: true, force: true })
  const slower = 100 * (watched.seconds / alone.seconds - 1)
  return [
    {
      what: `${readers} readers of a task that prints 1,000 lines a second for ${lines / 1000} s`,
      measured: `${watched.seconds.toFixed(1)} s, ${slower.toFixed(1)} % slower, ${watched.lost} lines lost or doubled`,
      beside: `alone ${alone.seconds.toFixed(1)} s`,
      goal: '<= 5 % slower, none lost',
    },
  ]
}

async function timeTask(
  server: BenchServer,
  work: Readonly<Record<string, unknown>>,
  count: number,
): Promise<{ seconds: number; lost: number }> {
  const task = await server.submit(work)
  const following = Array.from({ length: count }, () => countWrong(`${server.url}/events?task=${task.id}`))
  let ended: { outcome: string | null; startedAt: string; endedAt: string } | null = null
  while (ended === null) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const found = await server.get<{
      state: string
      outcome: string | null
      startedAt: string
      endedAt: string
    }>(`/tasks/${task.id}`)
    if (found.state === 'done') ended = found
  }
  if (ended.outcome !== 'no_changes') throw new Error(`the task ended ${ended.outcome}`)
  const wrong = await Promise.all(following)
  const seconds = (Date.parse(ended.endedAt) - Date.parse(ended.startedAt)) / 1000
  return { seconds, lost: wrong.reduce((sum, each) => sum + each, 0) }
}

/** How many lines one reader missed or got twice. */
async function countWrong(address: string): Promise<number> {
  const response = await fetch(address)
  const decoder = new TextDecoder()
  let rest = ''
  let next = 0
  let wrong = 0
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true })
    const parts = rest.split('\n\n')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      for (const [, number] of part.matchAll(/line (\d+) of what/g)) {
        wrong += Math.abs(Number(number) - next)
        next = Number(number) + 1
      }
    }
  }
  return wrong + Math.abs(lines - next)
}
