import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TaskEvent } from '../src/model/event.ts'
import { startGitServer } from '../test/support/git-server.ts'
import { makeRepository, type Files } from '../test/support/repositories.ts'
import { output, pages, type Row } from './bench/dashboard.ts'
import { containers } from './bench/containers.ts'
import { timeGateway } from './bench/gateway.ts'
import { gate } from './bench/gate.ts'
import { many } from './bench/many.ts'
import { startBenchServer } from './bench/server.ts'
import { timeShellScript } from './bench/shell-script.ts'

// Speed and memory beside a plain shell script doing the same work, interleaved on this machine. Prints a table; judges
// nothing: absolute times drift, only what was measured side by side can be compared.

const [roundsAsked = '2', ...named] = process.argv.slice(2)
const rounds = Number(roundsAsked)
const tasks = 32
const slots = 8
const command = 'sleep 2; echo "$$" > "work-$$.txt"'

async function againstScript(what: string, files: Files, goal: string): Promise<Row> {
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const folder = await mkdtemp(join(tmpdir(), 'nightshift-bench-'))
    await makeRepository(join(folder, 'remote.git'), { files, commits: 3 })
    // Over http, as remotes are: a clone from a path would only link its files.
    const remotes = await startGitServer({ root: folder })
    const repo = `${remotes.url}/remote.git`
    theirs.push(await timeShellScript(repo, tasks, slots, command))
    const server = await startBenchServer(folder, slots)
    const started = performance.now()
    const accepted = await Promise.all(
      Array.from({ length: tasks }, (_, index) => server.submit({ repo, prompt: `Work ${index}`, command })),
    )
    await server.untilPushed(accepted)
    ours.push((performance.now() - started) / 1000)
    await server.close()
    await remotes.close()
    await rm(folder, { recursive: true, force: true })
  }
  const ratios = ours.map((seconds, index) => seconds / (theirs[index] ?? Number.NaN))
  return {
    what: `${tasks} tasks of 2 s on ${slots} slots, ${what}`,
    measured: `${median(ours).toFixed(1)} s`,
    beside: `script ${median(theirs).toFixed(1)} s, ratio ${median(ratios).toFixed(2)}`,
    goal,
  }
}

async function pickUp(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-bench-'))
  const remote = await makeRepository(join(folder, 'remote.git'))
  const server = await startBenchServer(folder, slots)
  const work = { repo: remote.path, command: 'true' }

  const idle: number[] = []
  for (let number = 0; number < 100; number += 1) {
    const task = await server.submit({ ...work, prompt: `Pick up ${number}` })
    let first: TaskEvent | undefined
    while (first === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      const { items } = await server.get<{ items: TaskEvent[] }>(`/tasks/${task.id}/events`)
      first = items.find((event) => event.type === 'step.started')
    }
    idle.push(Date.parse(first.at) - Date.parse(task.createdAt))
  }

  await server.post('/pause')
  for (let batch = 0; batch < 10; batch += 1) {
    await Promise.all(Array.from({ length: 100 }, () => server.submit({ ...work, prompt: 'Wait' })))
  }
  const folderOfSleepers = await makeRepository(join(folder, 'sleepers.git'))
  await server.close()

  // Sixteen that sleep go first; the thousand behind them wait.
  const full = await startBenchServer(folder, 16)
  await Promise.all(
    Array.from({ length: 16 }, () =>
      full.submit({ repo: folderOfSleepers.path, prompt: 'Sleep', command: 'sleep 8', priority: 10 }),
    ),
  )
  await full.post('/resume')
  let stats = { states: { running: 0 } }
  while (stats.states.running < 16) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    stats = await full.get('/stats')
  }
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const resident = await full.residentMb()
  // And not killed: its database would stay behind.
  await full.close()
  await rm(folder, { recursive: true, force: true })
  return [
    {
      what: 'pick-up, enqueue to first step, slots free',
      measured: `p50 ${quantile(idle, 0.5).toFixed(0)} ms, p99 ${quantile(idle, 0.99).toFixed(0)} ms`,
      beside: '',
      goal: 'p50 < 20 ms, p99 < 100 ms',
    },
    {
      what: 'memory of serve, 1,000 queued, 16 running',
      measured: `${resident.toFixed(0)} MB`,
      beside: 'database apart',
      goal: '< 150 MB',
    },
  ]
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}

function filesOf(count: number, bytesEach: number): Files {
  const files: Record<string, string> = {}
  for (let number = 0; number < count; number += 1) {
    files[`folder-${number % 20}/file-${number}.txt`] = randomBytes(bytesEach / 2).toString('hex')
  }
  return files
}

async function gatewayRow(): Promise<Row> {
  const { straight, through } = await timeGateway(30)
  const added = (of: (timing: (typeof through)[number]) => number) =>
    median(through.map(of)) - median(straight.map(of))
  const totalMs = median(straight.map((timing) => timing.totalMs))
  const more = added((timing) => timing.totalMs)
  return {
    what: 'gateway, added to a streamed answer, 120 KB sent',
    measured: `first byte ${added((timing) => timing.firstByteMs).toFixed(1)} ms, total ${more.toFixed(1)} ms (${((more / totalMs) * 100).toFixed(1)} %)`,
    beside: `straight: first byte ${median(straight.map((timing) => timing.firstByteMs)).toFixed(1)} ms, total ${totalMs.toFixed(0)} ms`,
    goal: '< 5 ms, < 2 %',
  }
}

/** What can be measured, by the name to ask for it: `npm run bench -- 3 small large`. */
const benches: Readonly<Record<string, () => Promise<Row[]>>> = {
  small: async () => [await againstScript('100 files', filesOf(100, 2000), 'ratio <= 1.15')],
  large: async () => [await againstScript('2,000 files of 50 MB', filesOf(2000, 25_000), 'ratio <= 0.7')],
  many: async () => many(rounds),
  serve: pickUp,
  gateway: async () => [await gatewayRow()],
  pages,
  output,
  gate,
  containers: async () => containers(rounds),
}

const rows: Row[] = []
for (const name of named.length === 0 ? Object.keys(benches) : named) {
  const bench = benches[name]
  if (bench === undefined)
    throw new Error(`there is no bench ${name}; there are ${Object.keys(benches).join(', ')}`)
  rows.push(...(await bench()))
}
console.table(rows)
