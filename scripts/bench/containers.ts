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

/** Work by hand: each step in a command of its own, or all in one. */
interface ByHand {
  readonly apart: boolean
  /** With root capabilities, as our containers have to have for their jail: an engine makes those a network each. */
  readonly rooted: boolean
}

/** Answers milliseconds. */
async function byHand(setting: Setting, command: string, { apart, rooted }: ByHand): Promise<number> {
  const since = performance.now()
  const branch = randomBytes(8).toString('hex')
  const steps = [
    `git clone --quiet http://${host}/remote.git /clone`,
    `cd /clone && git checkout --quiet -b ${branch} && ${command}`,
    `cd /clone && ${commit} && git push --quiet origin ${branch}`,
  ]
  const container = setting.base.withEnvVariable('BENCH', branch)
  const scripts = apart ? steps : [steps.join(' && ')]
  const options = { insecureRootCapabilities: rooted }
  await scripts.reduce((chain, script) => chain.withExec(['sh', '-c', script], options), container).sync()
  return performance.now() - since
}

async function oneTask(dag: Client, rounds: number): Promise<Row> {
  const setting = await open(dag, filesOf(100, 2000))
  const command = 'date +%N > one.txt'
  const times = await inTurns(rounds * 3, [
    async () => {
      const { tasks } = await ours(setting, 1, command)
      // By its own clock: who asks for its end does so now and then.
      return Date.parse(tasks[0]?.endedAt ?? '') - Date.parse(tasks[0]?.createdAt ?? '')
    },
    () => byHand(setting, command, { apart: true, rooted: false }),
    () => byHand(setting, command, { apart: true, rooted: true }),
  ])
  await setting.close()
  return row('one task in a container', times, 'bare SDK, three withExec', 'ratio <= 1.2')
}

async function manyTasks(dag: Client, rounds: number): Promise<Row> {
  const setting = await open(dag, filesOf(100, 2000))
  const command = 'sleep 2; echo "$$" > "work.txt"'
  const allByHand = async (rooted: boolean) => {
    const limit = pLimit(slots)
    const since = performance.now()
    const one = () => limit(() => byHand(setting, command, { apart: false, rooted }))
    await Promise.all(Array.from({ length: taskCount }, one))
    return performance.now() - since
  }
  const times = await inTurns(rounds, [
    async () => (await ours(setting, taskCount, command)).ms,
    () => allByHand(false),
    () => allByHand(true),
  ])
  await setting.close()
  const what = `${taskCount} tasks of 2 s on ${slots} slots, in containers`
  return row(what, times, 'bare SDK, one chain a task', 'ratio <= 1.3')
}

async function clones(dag: Client, rounds: number): Promise<Row> {
  const setting = await open(dag, filesOf(2000, 25_000))
  const times = await inTurns(rounds, [
    async (round) => {
      const { tasks } = await ours(setting, 1, `echo ${round} > one.txt`)
      return cloneMs(setting, tasks[0]?.id ?? '')
    },
    async () => {
      const since = performance.now()
      await setting.base
        .withEnvVariable('BENCH', randomBytes(8).toString('hex'))
        .withExec(['git', 'clone', '--quiet', `http://${host}/remote.git`, '/clone'])
        .sync()
      return performance.now() - since
    },
  ])
  await setting.close()
  const what = 'clone of 50 MB into a new container, through the mirror'
  return row(what, times, 'bare SDK, cold', 'ratio <= 0.5')
}

/** One beside the other, in turns of changing order. Answers milliseconds: of each way, by round. */
async function inTurns(
  rounds: number,
  ways: readonly ((round: number) => Promise<number>)[],
): Promise<number[][]> {
  const times = ways.map((): number[] => [])
  for (let round = 0; round < rounds; round += 1) {
    const order = ways.map((_, index) => (index + round) % ways.length)
    for (const index of order) times[index]?.push((await ways[index]?.(round)) ?? Number.NaN)
  }
  return times
}

/** The step of a task, from the wish for a container to the clone in it. */
async function cloneMs({ server }: Setting, id: string): Promise<number> {
  const { items } = await server.get<{ items: TaskEvent[] }>(`/tasks/${id}/events`)
  const at = (type: TaskEvent['type']) =>
    Date.parse(items.find((event) => event.type === type && event.step === 'clone')?.at ?? '')
  return at('step.ended') - at('step.started')
}

/** `times`: ours, theirs, and theirs with root capabilities where those were tried. */
function row(what: string, times: readonly (readonly number[])[], beside: string, goal: string): Row {
  const [mine = [], bare = [], rooted] = times
  const seconds = (values: readonly number[]) => `${(middle(values) / 1000).toFixed(2)} s`
  const against = (theirs: readonly number[]) => {
    const ratios = mine.map((ms, index) => ms / (theirs[index] ?? Number.NaN))
    return `${seconds(theirs)}, ratio ${middle(ratios).toFixed(2)}`
  }
  const withRoot = rooted === undefined ? '' : `; with root capabilities, as ours: ${against(rooted)}`
  return { what, measured: seconds(mine), beside: `${beside} ${against(bare)}${withRoot}`, goal }
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
