import { readdir } from 'node:fs/promises'
import { agentProblems } from '../core/agent-abilities.ts'
import type { Examination } from '../core/doctor.ts'
import type { DiskWatch } from '../core/scheduler.ts'
import type { Settings } from '../config/settings.ts'
import { engineExaminations } from '../dagger/engine-examinations.ts'
import { fileFault } from '../model/file-fault.ts'
import type { RuntimeName } from '../model/submission.ts'
import { summary } from '../gateway/summary.ts'
import type { Agent } from '../ports/agent.ts'
import type { Forge } from '../ports/forge.ts'
import type { Gateway } from '../ports/gateway.ts'
import type { TaskStore } from '../ports/task-store.ts'
import { run } from '../process/run.ts'
import type { OpenedRuntimes } from './runtimes.ts'

/** What `doctor` looks at: everything that this process has opened. */
export function examinationsOf(
  settings: Settings,
  opened: {
    readonly store: TaskStore
    /** Folder of the embedded database; `null`: it is another's. */
    readonly databaseFolder: string | null
    readonly runtimes: OpenedRuntimes
    readonly agents: Iterable<Agent>
    readonly gateway: Gateway
    readonly forge: Forge | null
    readonly disk: DiskWatch
  },
): Examination[] {
  const { store, databaseFolder, runtimes, agents, gateway, forge, disk } = opened
  const enginesNamed = settings.dagger?.named === true
  return [
    { area: 'database', look: () => lookAtDatabase(store, databaseFolder) },
    { area: 'git', look: () => lookAtGit(settings.path) },
    // One that would have to be started first is not started to be looked at.
    ...runtimes.inOrder.slice(0, enginesNamed ? 2 : 1).map((runtime) => ({
      area: `runtime ${runtime.name}`,
      look: async () => ({ detail: 'works', problems: await runtime.problems() }),
    })),
    ...(runtimes.dagger === null || !enginesNamed ? [] : engineExaminations(runtimes.dagger)),
    ...[...agents].map((agent) => ({
      area: `agent ${agent.name}`,
      optional: agent.install !== null,
      look: (runtime: RuntimeName) => lookAtAgent(gateway, agent, runtime),
    })),
    {
      area: 'model providers',
      look: () => Promise.resolve({ detail: summary(settings.providers), problems: [] }),
    },
    ...(forge === null ? [] : [{ area: 'forge GitHub', look: () => lookAtForge(forge) }]),
    ...(settings.repoRoots.length === 0
      ? []
      : [{ area: 'local repositories', look: () => lookAtRoots(settings.repoRoots) }]),
    { area: 'disk', look: () => lookAtDisk(settings.home, disk) },
  ]
}

async function lookAtDatabase(store: TaskStore, folder: string | null) {
  await store.stats()
  return { detail: folder === null ? 'answers at DATABASE_URL' : `embedded, in ${folder}`, problems: [] }
}

async function lookAtGit(path: string) {
  const todo = 'apt-get install git'
  try {
    const ended = await run(['git', '--version'], { env: { PATH: path }, timeoutMs: 10_000 })
    const detail = ended.stdout.toString('utf8').trim()
    return { detail, problems: ended.exitCode === 0 ? [] : [{ what: 'git does not run', todo }] }
  } catch {
    return { detail: '', problems: [{ what: 'git is not on the PATH', todo }] }
  }
}

async function lookAtRoots(roots: readonly string[]) {
  const found = await Promise.all(roots.map((root) => readdir(root).then(() => null, fileFault)))
  const problems = roots.flatMap((root, at) => {
    const fault = found[at] ?? null
    const todo = 'make it, or take it out of NIGHTSHIFT_REPO_ROOTS'
    return fault === null ? [] : [{ what: `${root} cannot be read: ${fault}`, todo }]
  })
  return { detail: `requests may name those under ${roots.join(', ')}`, problems }
}

async function lookAtForge(forge: Forge) {
  try {
    const { login, scopes } = await forge.identity()
    const told = scopes === null ? '' : `, with the scopes ${scopes.join(', ') || 'none'}`
    const problems =
      scopes === null || scopes.includes('repo') || scopes.includes('public_repo')
        ? []
        : [
            {
              what: `the token of ${login} lacks the scope repo`,
              todo: 'give it the scope repo, or take another',
            },
          ]
    return { detail: `is spoken to as ${login}${told}`, problems }
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error)
    return {
      detail: '',
      problems: [{ what, todo: 'set GITHUB_TOKEN to a token that is valid; see GITHUB_API_URL' }],
    }
  }
}

async function lookAtAgent(gateway: Gateway, agent: Agent, runtime: RuntimeName) {
  const problems = await agentProblems({ gateway }, agent, { model: null, runtime })
  const program = problems.length === 0 && runtime === 'local' ? await agent.program() : null
  const found = program === null ? 'works' : `${program.path}, version ${program.version ?? 'unknown'}`
  const around = '; goes in with its own login, which its sandbox can read and no cap on money can hold'
  return { detail: agent.ownLogin === null ? found : `${found}${around}`, problems }
}

async function lookAtDisk(home: string, disk: DiskWatch) {
  const free = await disk.freeBytes()
  const detail = `${Math.floor(free / 1024 / 1024)} MiB free in ${home}`
  const problems =
    free >= disk.minFreeBytes ? [] : [{ what: `only ${detail}`, todo: 'make room: no task starts before' }]
  return { detail, problems }
}
