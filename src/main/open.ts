import { statfs } from 'node:fs/promises'
import { cwd } from 'node:process'
import type { Settings } from '../config/settings.ts'
import { chooseRuntime, explainChoice } from '../core/choose-runtime.ts'
import { examine } from '../core/doctor.ts'
import { createMask } from '../core/mask.ts'
import type { RunContext } from '../core/submit-run.ts'
import type { SubmitContext } from '../core/submit.ts'
import type { System } from '../core/system.ts'
import { createRepositories } from '../git/repositories.ts'
import { refusedMerge } from '../github/refused-merge.ts'
import { dumpDatabase } from '../postgres/backup/dump.ts'
import { openDashboard } from '../postgres/dashboard.ts'
import { openDatabase } from '../postgres/database.ts'
import { openEmbedded } from '../postgres/embedded/open-embedded.ts'
import { openEventLog } from '../postgres/event-log.ts'
import { openNumbers } from '../postgres/numbers.ts'
import { openRunStore } from '../postgres/run-store.ts'
import { openScheduleStore } from '../postgres/schedule-store.ts'
import { openSessionStore } from '../postgres/session-store.ts'
import { openStore } from '../postgres/task-store.ts'
import { openTokenStore } from '../postgres/token-store.ts'
import { Closers } from '../process/closers.ts'
import { createStreamLog } from '../process/stream-log.ts'
import { startBackground } from './background.ts'
import { examinationsOf } from './examinations.ts'
import { makeHome } from './home.ts'
import { readMachineId, version } from './machine.ts'
import { minFreeBytes, openPipelineParts } from './pipeline-parts.ts'

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
  const log = createStreamLog(process.stderr, settings.logLevel, mask)
  await makeHome(settings)

  const embedded = settings.databaseUrl === null ? await openEmbedded({ home: settings.home, log }) : null
  if (embedded !== null) closers.push(() => embedded.close())
  embedded?.keepRunning()
  const connection = embedded?.connection ?? settings.databaseUrl ?? ''
  const database = await openDatabase(connection, { log, embedded: embedded !== null })
  closers.push(() => database.close())
  const store = openStore(database, { log, keepWorkMs: settings.keepWorkMs })
  closers.push(() => store.close())
  const tokens = openTokenStore(database)

  const { parts, runtimes } = await openPipelineParts(settings, { store, database, log, mask, closers })
  const machineId = await readMachineId()
  const disk = {
    freeBytes: async () => {
      const { bavail, bsize } = await statfs(settings.home)
      return bavail * bsize
    },
    minFreeBytes,
  }
  const examinations = examinationsOf(settings, {
    store,
    databaseFolder: embedded?.folder ?? null,
    runtimes,
    agents: parts.agents.values(),
    gateway: parts.gateway,
    forge: parts.forge,
    disk,
  })

  const submitContext: SubmitContext = {
    store,
    repositories: createRepositories({ repoRoots: settings.repoRoots, cwd: cwd() }),
    agents: [...parts.agents.keys()],
    runtimes: parts.runtimes.map((runtime) => runtime.name),
    machineId,
    refusedHost: parts.refusedHost,
    refusedMerge: refusedMerge(settings.githubServerUrl, parts.forge !== null),
  }
  const runContext: RunContext = {
    submit: submitContext,
    runs: openRunStore(database),
    publisher: parts.publisher,
  }
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
    engines: () => runtimes.dagger?.loads() ?? [],
    runtimeFor: async (asked) => (await chooseRuntime(runtimes.inOrder, asked))?.name ?? null,
    doctor: (wanted = () => true, runtime = 'local') =>
      examine(
        examinations.filter(({ area }) => wanted(area)),
        runtime,
      ),
    startScheduler: (wanted) => startBackground(settings, background, wanted),
    close: () => closers.close(),
  }
}
