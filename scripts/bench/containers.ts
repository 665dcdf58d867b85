import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client, Container } from '@dagger.io/dagger'
import pLimit from 'p-limit'
import type { TaskEvent } from '../../src/model/event.ts'
import type { Task } from '../../src/model/task.ts'
import { startGitServer, type GitServer } from '../../test/support/git-server.ts'
import { makeRepository, type Files } from '../../test/support/repositories.ts'
import type { Row } from './dashboard.ts'
import { startBenchServer, type BenchServer } from './server.ts'

const slots = 8
const taskCount = 16
const host = 'remotes'
const image = process.env['NIGHTSHIFT_IMAGE'] ?? 'node:24-bookworm'

/** Work in containers beside the bare SDK doing the same by hand; no row where no engine is named. */
export async function containers(rounds: number): Promise<Row[]> {
  if (process.env['_EXPERIMENTAL_DAGGER_RUNNER_HOST'] === undefined) return []
  const { connect } = await import('@dagger.io/dagger')
  const rows: Row[] = []
  await connect(async (dag) => {
    rows.push(await oneTask(dag, rounds), await manyTasks(dag, rounds), await clones(dag, rounds))
  })
  return rows
}

interface Setting {
  readonly remotes: GitServer
  readonly server: BenchServer
  /** A container that reaches the remotes by name. */
  readonly base: Container
  close(): Promise<void>
}

async function open(dag: Client, files: Files): Promise<Setting> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-bench-'))
  await makeRepository(join(folder, 'remote.git'), { files, commits: 3 })
  const remotes = await startGitServer({ root: folder })
  const names = ['_EXPERIMENTAL_DAGGER_RUNNER_HOST', '_EXPERIMENTAL_DAGGER_CLI_BIN', 'DO_NOT_TRACK']
  const given = names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  const server = await startBenchServer(folder, slots, undefined, {
    ...(Object.fromEntries(given) as Record<string, string>),
    NIGHTSHIFT_IMAGE: image,
  })
  // Started once, or every command by hand would pay for a way to the remotes of its own.
  const service = await dag
    .host()
    .service([{ frontend: 80, backend: remotes.port }])
    .start()
  const base = dag.container().from(image).withServiceBinding(host, service).withWorkdir('/work')
  await base.withExec(['git', '--version']).sync()
  const setting = {
    remotes,
    server,
    base,
    close: async () => {
      await server.close()
      await service.stop()
      await remotes.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
  // The first of each kind fetches images and launchers.
  await ours(setting, 1, 'true; echo warm > warm.txt')
  return setting
}

const repository = ({ remotes }: Setting) => `${remotes.url}/remote.git`

async function ours(
  setting: Setting,
  count: number,
  command: string,
): Promise<{ ms: number; tasks: Task[] }> {
  const since = performance.now()
  const asked = Array.from({ length: count }, (_, index) =>
    setting.server.submit({ repo: repository(setting), prompt: `Work ${index}`, command, runtime: 'dagger' }),
  )
  const tasks = await setting.server.untilPushed(await Promise.all(asked))
  return { ms: performance.now() - since, tasks }
}

const commit = `git add --all && git -c user.name=Bare -c user.email=bare@example.org commit --quiet --message Work`

/** By hand: three commands, or all in one. Answers milliseconds. */
async function byHand(setting: Setting, command: string, apart: boolean): Promise<number> {
  const since = performance.now()
  const branch = randomBytes(8).toString('hex')
  const steps = [
    `git clone --quiet http://${host}/remote.git /clone`,
    `cd /clone && git checkout --quiet -b ${branch} && ${command}`,
    `cd /clone && ${commit} && git push --quiet origin ${branch}`,
  ]
  const container = setting.base.withEnvVariable('BENCH', branch)
  const scripts = apart ? steps : [steps.join(' && ')]
  await scripts.reduce((chain, script) => chain.withExec(['sh', '-c', script]), container).sync()
  return performance.now() - since
}

async function oneTask(dag: Client, rounds: number): Promise<Row> {
  const setting = await open(dag, filesOf(100, 2000))
  const [mine, bare]: [number[], number[]] = [[], []]
  await inTurns(
    rounds * 3,
    async (round) => mine.push((await ours(setting, 1, `echo ${round} > one.txt`)).ms),
    async (round) => bare.push(await byHand(setting, `echo ${round} > one.txt`, true)),
  )
  await setting.close()
  return row('one task in a container', mine, bare, 'bare SDK, three withExec', 'ratio <= 1.2')
}

async function manyTasks(dag: Client, rounds: number): Promise<Row> {
  const setting = await open(dag, filesOf(100, 2000))
  const [mine, bare]: [number[], number[]] = [[], []]
  const command = 'sleep 2; echo "$$" > "work.txt"'
  await inTurns(
    rounds,
    async () => mine.push((await ours(setting, taskCount, command)).ms),
    async () => {
      const limit = pLimit(slots)
      const since = performance.now()
      await Promise.all(Array.from({ length: taskCount }, () => limit(() => byHand(setting, command, false))))
      bare.push(performance.now() - since)
    },
  )
  await setting.close()
  const what = `${taskCount} tasks of 2 s on ${slots} slots, in containers`
  return row(what, mine, bare, 'bare SDK, one chain a task', 'ratio <= 1.3')
}

async function clones(dag: Client, rounds: number): Promise<Row> {
  const setting = await open(dag, filesOf(2000, 25_000))
  const [mine, bare]: [number[], number[]] = [[], []]
  await inTurns(
    rounds,
    async (round) => {
      const { tasks } = await ours(setting, 1, `echo ${round} > one.txt`)
      mine.push(await cloneMs(setting, tasks[0]?.id ?? ''))
    },
    async () => {
      const since = performance.now()
      await setting.base
        .withEnvVariable('BENCH', randomBytes(8).toString('hex'))
        .withExec(['git', 'clone', '--quiet', `http://${host}/remote.git`, '/clone'])
        .sync()
      bare.push(performance.now() - since)
    },
  )
  await setting.close()
  const what = 'clone of 50 MB into a new container, through the mirror'
  return row(what, mine, bare, 'bare SDK, cold', 'ratio <= 0.5')
}

/** One beside the other, each first as often as the other: the remote has grown a little for the second. */
async function inTurns(
  rounds: number,
  mine: (round: number) => Promise<unknown>,
  bare: (round: number) => Promise<unknown>,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    for (const each of round % 2 === 0 ? [bare, mine] : [mine, bare]) await each(round)
  }
}

/** The step of a task, from the wish for a container to the clone in it. */
async function cloneMs({ server }: Setting, id: string): Promise<number> {
  const { items } = await server.get<{ items: TaskEvent[] }>(`/tasks/${id}/events`)
  const at = (type: TaskEvent['type']) =>
    Date.parse(items.find((event) => event.type === type && event.step === 'clone')?.at ?? '')
  return at('step.ended') - at('step.started')
}

function row(
  what: string,
  mine: readonly number[],
  bare: readonly number[],
  beside: string,
  goal: string,
): Row {
  const ratios = mine.map((ms, index) => ms / (bare[index] ?? Number.NaN))
  const seconds = (values: readonly number[]) => `${(middle(values) / 1000).toFixed(1)} s`
  const ratio = middle(ratios).toFixed(2)
  return { what, measured: seconds(mine), beside: `${beside} ${seconds(bare)}, ratio ${ratio}`, goal }
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

function filesOf(count: number, bytesEach: number): Files {
  const files: Record<string, string> = {}
  for (let number = 0; number < count; number += 1) {
    files[`folder-${number % 20}/file-${number}.txt`] = randomBytes(bytesEach / 2).toString('hex')
  }
  return files
}
