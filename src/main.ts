import { createHash } from 'node:crypto'
import { mkdir, readFile, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { hostname, tmpdir } from 'node:os'
import { cwd } from 'node:process'
import { ulid } from 'ulid'
import { agentProgramPaths } from './agents/agent-programs.ts'
import { createAcpAgent } from './agents/acp.ts'
import { createClaudeAgent } from './agents/claude.ts'
import { createCodexAgent } from './agents/codex.ts'
import { createGeminiAgent } from './agents/gemini.ts'
import { createOpencodeAgent } from './agents/opencode.ts'
import { createCommandAgent } from './agents/command.ts'
import { runCli } from './cli/run-cli.ts'
import { ConfigurationError, environmentOfChecks, type Settings } from './config.ts'
import { agentProblems } from './core/agent-abilities.ts'
import type { PipelineParts } from './core/attempt.ts'
import { explainChoice } from './core/choose-runtime.ts'
import { examine, type Examination } from './core/doctor.ts'
import { createMask } from './core/mask.ts'
import { startScheduler } from './core/scheduler.ts'
import { startTelling } from './core/tell-ends.ts'
import { startKeeper } from './core/schedules/keeper.ts'
import type { RunContext } from './core/submit-run.ts'
import type { SubmitContext } from './core/submit.ts'
import type { HandTools } from './core/hand-tools.ts'
import type { BackupSummary, System } from './core/system.ts'
import { startTidying } from './core/tidying.ts'
import { createGateway } from './gateway/gateway.ts'
import { summary } from './gateway/summary.ts'
import { createCheckouts } from './git/checkout.ts'
import { createCloner } from './git/clone.ts'
import { createCredentials } from './git/credentials.ts'
import { localPlace } from './git/git-place.ts'
import { removeOldMirrors } from './git/old-mirrors.ts'
import { createPublisher } from './git/publisher.ts'
import { createRepositories } from './git/repositories.ts'
import { createDaggerRuntime } from './dagger/dagger-runtime.ts'
import { engineExaminations } from './dagger/engine-examinations.ts'
import { createGithub } from './github/github-forge.ts'
import { refusedMerge } from './github/refused-merge.ts'
import { createLocalRuntime } from './local/local-runtime.ts'
import { createRegistries } from './local/registries.ts'
import { processTag, sweepTagged } from './jail/process-tag.ts'
import { refusedHost } from './jail/refused-host.ts'
import type { AgentName } from './model/submission.ts'
import type { Agent } from './ports/agent.ts'
import type { Gateway } from './ports/gateway.ts'
import { parsePolicyFile } from './model/repository-file/parse.ts'
import type { Forge } from './ports/forge.ts'
import { httpTeller } from './notify/http-teller.ts'
import { openDatabase } from './postgres/database.ts'
import { openEmbedded } from './postgres/embedded/open-embedded.ts'
import { openSpend } from './postgres/spend.ts'
import { openRunStore } from './postgres/run-store.ts'
import { openScheduleStore } from './postgres/schedule-store.ts'
import { openStore } from './postgres/task-store.ts'
import { dumpDatabase } from './postgres/backup/dump.ts'
import { BackupUnusable } from './postgres/backup/format.ts'
import { restoreBackup } from './postgres/backup/restore-home.ts'
import { openDashboard } from './postgres/dashboard.ts'
import { openEventLog } from './postgres/event-log.ts'
import { openNumbers } from './postgres/numbers.ts'
import { forgetOld } from './postgres/retention.ts'
import { openSessionStore } from './postgres/session-store.ts'
import { openTokenStore } from './postgres/token-store.ts'
import { isTransient } from './postgres/transient.ts'
import { createSecretScanner } from './secretlint/secret-scanner.ts'
import { Closers } from './process/closers.ts'
import { run } from './process/run.ts'
import { runShellLine } from './process/shell-line.ts'
import { createSpawner } from './process/spawner.ts'
import { createStreamLog } from './process/stream-log.ts'
import { systemClock } from './process/system-clock.ts'

/** A quarter of the store's lease: three heartbeats may be lost. */
const heartbeatMs = 2500
/** The queue is looked at this often even if no wake-up came. */
const pollMs = 1000
/** With less free than this, no task is taken. */
const minFreeBytes = 512 * 1024 * 1024

/** The front door: what `bin/nightshift.js` calls. Ends the process with the command's exit code. */
export async function start(): Promise<void> {
  const exitCode = await runCli({
    argv: process.argv.slice(2),
    environment: process.env,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    open,
    restore,
    handTools,
    signals: { subscribe: subscribeToSignals },
    version: await version(),
  })
  process.exit(exitCode)
}

// npm, npx and the launcher pass on a signal that the terminal has sent to all of them: one press arrives twice.
const sameSignalMs = 500

function subscribeToSignals(listener: (signal: 'SIGINT' | 'SIGTERM') => void): () => void {
  let lastMs = Number.NEGATIVE_INFINITY
  const handle = (signal: NodeJS.Signals) => {
    const nowMs = performance.now()
    if (nowMs - lastMs < sameSignalMs) return
    lastMs = nowMs
    listener(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM')
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, handle)
  return () => {
    for (const signal of signals) process.off(signal, handle)
  }
}

/** Makes the database of an empty home from a backup. */
async function restore(settings: Settings, path: string): Promise<BackupSummary> {
  const { home, databaseUrl } = settings
  const log = createStreamLog(process.stderr, 'warn', createMask(settings.secrets))
  try {
    const { head, rows } = await restoreBackup({ home, databaseUrl, path, log })
    return { createdAt: head.createdAt, rows }
  } catch (error) {
    if (error instanceof BackupUnusable) throw new ConfigurationError(error.message)
    throw error
  }
}

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
  const local = createLocalRuntime({
    home: settings.home,
    clone: createCloner({ path: settings.path, run: spawner.run, owner: null }),
    path: settings.path,
    userHome: settings.userHome,
    programs: () => agentProgramPaths(settings),
    author: settings.author,
    network: settings.network,
    run: spawner.run,
    starter: spawner,
    masks: settings.gitCredentials === null ? [] : [settings.gitCredentials],
    log,
  })
  await local.sweepDead()
  closers.push(() => local.close())
  const cli = { path: settings.path, userHome: settings.userHome, run: spawner.run }
  const agents = new Map<AgentName, Agent>(
    [
      createClaudeAgent({ ...cli, setting: settings.agentPrograms.claude }),
      createCodexAgent({ ...cli, setting: settings.agentPrograms.codex }),
      createGeminiAgent({ ...cli, setting: settings.agentPrograms.gemini }),
      createOpencodeAgent({ ...cli, setting: settings.agentPrograms.opencode }),
      createAcpAgent(),
      createCommandAgent(),
    ].map((agent) => [agent.name, agent]),
  )

  const dagger =
    settings.dagger === null
      ? null
      : createDaggerRuntime({
          ...settings.dagger,
          home: settings.home,
          author: settings.author,
          network: settings.network,
          minFreeBytes,
          log,
        })
  if (dagger !== null) closers.push(() => dagger.close())
  // In the order in which `auto` takes them: an engine that was not named is one that would have to be started.
  const runtimes =
    dagger === null ? [local] : settings.dagger?.named === true ? [dagger, local] : [local, dagger]
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
    runtimes,
    agents,
    gateway,
    forge: github,
    proposals: settings.github ?? { draft: false, labels: [], reviewers: [] },
    maxTurns: settings.maxTurns,
    clock: systemClock,
    limits: { memoryBytes: settings.memoryBytes, processes: settings.processes },
    author: { authorName: settings.author.name, authorEmail: settings.author.email },
    operatorPolicy:
      settings.operatorPolicy === null ? null : await readOperatorPolicy(settings.operatorPolicy),
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
      return Math.min(bavail * bsize, dagger?.freeBytes() ?? Number.POSITIVE_INFINITY)
    },
    minFreeBytes,
  }
  const examinations: Examination[] = [
    { area: 'database', look: () => lookAtDatabase(store, embedded?.folder ?? null) },
    { area: 'git', look: () => lookAtGit(settings.path) },
    // One that would have to be started first is not started to be looked at.
    ...runtimes.slice(0, settings.dagger?.named === true ? 2 : 1).map((runtime) => ({
      area: `runtime ${runtime.name}`,
      look: async () => ({ detail: 'works', problems: await runtime.problems() }),
    })),
    ...(dagger === null || settings.dagger?.named !== true ? [] : engineExaminations(dagger)),
    ...[...agents.values()].map((agent) => ({
      area: `agent ${agent.name}`,
      optional: agent.install !== null,
      look: () => lookAtAgent(gateway, agent),
    })),
    {
      area: 'model providers',
      look: () => Promise.resolve({ detail: summary(settings.providers), problems: [] }),
    },
    ...(github === null ? [] : [{ area: 'forge GitHub', look: () => lookAtForge(github) }]),
    { area: 'disk', look: () => lookAtDisk(settings.home, disk) },
  ]

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
    explainRuntime: (asked) => explainChoice(runtimes, asked),
    backup: async (path) => {
      const { head, rows } = await dumpDatabase({ connection, path, version: await version() })
      return { createdAt: head.createdAt, rows }
    },
    diskFreeBytes: disk.freeBytes,
    doctor: (wanted = () => true) => examine(examinations.filter(({ area }) => wanted(area))),
    startScheduler({ pool, slots }) {
      const life = { id: ulid(), host: hostname(), pid: process.pid, slots }
      const scheduler = startScheduler(parts, { life, pool, machineId, heartbeatMs, pollMs, disk, log })
      const { notify } = settings
      if (notify !== null) {
        const tell = httpTeller(notify.url, notify.secret)
        const telling = startTelling({ store, tell, clock: systemClock, log })
        closers.push(() => telling.stop())
      }
      if (pool !== null) return scheduler
      const { mirrorsMs } = settings.keep
      const tidying = startTidying({
        clock: systemClock,
        log,
        work: [
          () => forgetOld(database, settings.keep, log),
          ...(mirrorsMs === null
            ? []
            : [() => removeOldMirrors({ home: settings.home, olderMs: mirrorsMs, log })]),
        ],
      })
      const now = () => new Date()
      const keeper = startKeeper({ schedules, context: runContext, clock: systemClock, now, log })
      return {
        get running() {
          return scheduler.running
        },
        async drain(graceMs) {
          await Promise.all([tidying.stop(), keeper.stop(), scheduler.drain(graceMs)])
        },
      }
    },
    close: () => closers.close(),
  }
}

/** What looks at a checkout in hand: git, a shell and the operator's policy. */
async function handTools(settings: Settings, environment: NodeJS.ProcessEnv): Promise<HandTools> {
  const operatorPolicy =
    settings.operatorPolicy === null ? null : await readOperatorPolicy(settings.operatorPolicy)
  const { path, userHome } = settings
  return {
    checkouts: createCheckouts({ scratch: tmpdir(), path, userHome, run }),
    parts: (signal) => ({
      scanSecrets: createSecretScanner(),
      operatorPolicy,
      runIn: (folder) => (line, options) =>
        runShellLine(line, { ...options, cwd: folder, env: environmentOfChecks(environment), signal }),
      mask: createMask(settings.secrets),
    }),
  }
}

async function readOperatorPolicy(path: string) {
  const parsed = parsePolicyFile(
    await readFile(path, 'utf8').catch((error: unknown) => {
      throw new ConfigurationError(`NIGHTSHIFT_POLICY: ${path} cannot be read: ${String(error)}`)
    }),
  )
  if (parsed.ok) return parsed.policy
  const lines = parsed.faults.map(
    ({ line, column, key, message }) => `${path}:${line}:${column}: ${key} ${message}`,
  )
  throw new ConfigurationError(lines.join('\n'))
}

async function lookAtDatabase(store: System['store'], folder: string | null) {
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

async function lookAtAgent(gateway: Gateway, agent: Agent) {
  const problems = await agentProblems({ gateway }, agent, { model: null, runtime: 'local' })
  const program = problems.length === 0 ? await agent.program() : null
  const found = program === null ? 'works' : `${program.path}, version ${program.version ?? 'unknown'}`
  return { detail: found, problems }
}

async function lookAtDisk(home: string, disk: { freeBytes: () => Promise<number>; minFreeBytes: number }) {
  const free = await disk.freeBytes()
  const detail = `${Math.floor(free / 1024 / 1024)} MiB free in ${home}`
  const problems =
    free >= disk.minFreeBytes ? [] : [{ what: `only ${detail}`, todo: 'make room: no task starts before' }]
  return { detail, problems }
}

/** The same for all processes of this machine, whatever their home: paths mean the same to them. */
async function readMachineId(): Promise<string> {
  const id = await readFile('/etc/machine-id', 'utf8').catch(() => '')
  return createHash('sha256').update(`${id.trim()} ${hostname()}`).digest('hex').slice(0, 32)
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
