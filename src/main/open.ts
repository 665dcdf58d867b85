import { mkdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { cwd } from 'node:process'
import type { Settings } from '../config/settings.ts'
import type { PipelineParts } from '../core/attempt.ts'
import { explainChoice } from '../core/choose-runtime.ts'
import { examine } from '../core/doctor.ts'
import { createMask } from '../core/mask.ts'
import type { RunContext } from '../core/submit-run.ts'
import type { SubmitContext } from '../core/submit.ts'
import type { System } from '../core/system.ts'
import { createGateway } from '../gateway/gateway.ts'
import { createCredentials } from '../git/credentials.ts'
import { localPlace } from '../git/git-place.ts'
import { createPublisher } from '../git/publisher.ts'
import { createRepositories } from '../git/repositories.ts'
import { createGithub } from '../github/github-forge.ts'
import { refusedMerge } from '../github/refused-merge.ts'
import { processTag, sweepTagged } from '../jail/process-tag.ts'
import { refusedHost } from '../jail/refused-host.ts'
import { createRegistries } from '../local/registries.ts'
import { dumpDatabase } from '../postgres/backup/dump.ts'
import { openDashboard } from '../postgres/dashboard.ts'
import { openDatabase } from '../postgres/database.ts'
import { openEmbedded } from '../postgres/embedded/open-embedded.ts'
import { openEventLog } from '../postgres/event-log.ts'
import { openNumbers } from '../postgres/numbers.ts'
import { openRunStore } from '../postgres/run-store.ts'
import { openScheduleStore } from '../postgres/schedule-store.ts'
import { openSessionStore } from '../postgres/session-store.ts'
import { openSpend } from '../postgres/spend.ts'
import { openStore } from '../postgres/task-store.ts'
import { openTokenStore } from '../postgres/token-store.ts'
import { isTransient } from '../postgres/transient.ts'
import { Closers } from '../process/closers.ts'
import { createSpawner } from '../process/spawner.ts'
import { createStreamLog } from '../process/stream-log.ts'
import { systemClock } from '../process/system-clock.ts'
import { createSecretScanner } from '../secretlint/secret-scanner.ts'
import { allAgents } from './agents.ts'
import { startBackground } from './background.ts'
import { examinationsOf } from './examinations.ts'
import { readMachineId, version } from './machine.ts'
import { operatorPolicyOf } from './operator-policy.ts'
import { openRuntimes } from './runtimes.ts'

/** With less free than this, no task is taken. */
const minFreeBytes = 512 * 1024 * 1024

/** Opens everything that the settings ask for; what was opened is closed again where a later part fails. */
export async function open(settings: Settings): Promise<System> {
  const closers = new Closers()
  try {
    return await openParts(settings, closers)
  } catch (error) {
    await closers.close()
    throw error
  }
}

async function openParts(settings: Settings, closers: Closers): Promise<System> {
  const mask = createMask(settings.secrets)
  const log = createStreamLog(process.stderr, 'warn', mask)
  await mkdir(settings.home, { recursive: true, mode: 0o700 })

  const embedded = settings.databaseUrl === null ? await openEmbedded({ home: settings.home, log }) : null
  if (embedded !== null) closers.push(() => embedded.close())
  const connection = embedded?.connection ?? settings.databaseUrl ?? ''
  const database = await openDatabase(connection, { log, embedded: embedded !== null })
  closers.push(() => database.close())
  const store = openStore(database, { log, keepWorkMs: settings.keepWorkMs })
  closers.push(() => store.close())
  const tokens = openTokenStore(database)

  const spawner = createSpawner()
  closers.push(() => spawner.close())
  const github = settings.github === null ? null : createGithub({ ...settings.github, clock: systemClock })
  const publisher = await createPublisher({
    place: localPlace(settings.home, spawner.run),
    path: settings.path,
    passThrough: settings.passThrough,
    credentialsFor: createCredentials({
      file: settings.gitCredentials,
      token:
        settings.github === null || github === null
          ? null
          : { serverUrl: settings.github.serverUrl, token: (repo) => github.tokenFor(repo) },
      log,
    }),
    log,
  })
  const hostRefusal = refusedHost(settings.network)
  const runtimes = await openRuntimes(settings, { spawner, log, closers, minFreeBytes })
  const agents = allAgents(settings, spawner.run)
  const sockets = join(settings.home, 'gateway')
  sweepTagged(sockets)
  const gateway = createGateway({
    access: settings.providers,
    folder: sockets,
    socketTag: processTag(),
    spend: openSpend(database),
    clock: systemClock,
    log,
    proxyEnvironment: settings.passThrough,
  })
  closers.push(() => gateway.close())

  const parts: PipelineParts = {
    store,
    publisher,
    runtimes: runtimes.inOrder,
    agents,
    gateway,
    forge: github,
    proposals: settings.github ?? { draft: false, labels: [], reviewers: [] },
    maxTurns: settings.maxTurns,
    clock: systemClock,
    limits: { memoryBytes: settings.memoryBytes, processes: settings.processes },
    author: { authorName: settings.author.name, authorEmail: settings.author.email },
    operatorPolicy: await operatorPolicyOf(settings),
    registries: createRegistries({ path: settings.path, userHome: settings.userHome, run: spawner.run }),
    scanSecrets: createSecretScanner(),
    refusedHost: hostRefusal,
    isTransient,
    mask,
  }
  const machineId = await readMachineId()
  const disk = {
    freeBytes: async () => {
      const { bavail, bsize } = await statfs(settings.home)
      return Math.min(bavail * bsize, runtimes.dagger?.freeBytes() ?? Number.POSITIVE_INFINITY)
    },
    minFreeBytes,
  }
  const examinations = examinationsOf(settings, {
    store,
    databaseFolder: embedded?.folder ?? null,
    runtimes,
    agents: agents.values(),
    gateway,
    forge: github,
    disk,
  })

  const submitContext: SubmitContext = {
    store,
    repositories: createRepositories({ repoRoots: settings.repoRoots, cwd: cwd() }),
    agents: [...agents.keys()],
    runtimes: parts.runtimes.map((runtime) => runtime.name),
    machineId,
    refusedHost: hostRefusal,
    refusedMerge: refusedMerge(settings.githubServerUrl, github !== null),
  }
  const runContext: RunContext = { submit: submitContext, runs: openRunStore(database), publisher }
  const schedules = openScheduleStore(database)
  const background = { parts, database, runContext, schedules, machineId, disk, log, closers }
  return {
    settings,
    store,
    tokens,
    sessions: openSessionStore(database),
    dashboard: openDashboard(database),
    eventLog: openEventLog(database, log),
    numbers: openNumbers(database),
    submitContext,
    runContext,
    schedules,
    log,
    version: await version(),
    explainRuntime: (asked) => explainChoice(runtimes.inOrder, asked),
    backup: async (path) => {
      const { head, rows } = await dumpDatabase({ connection, path, version: await version() })
      return { createdAt: head.createdAt, rows }
    },
    diskFreeBytes: disk.freeBytes,
    doctor: (wanted = () => true) => examine(examinations.filter(({ area }) => wanted(area))),
    startScheduler: (wanted) => startBackground(settings, background, wanted),
    close: () => closers.close(),
  }
}
