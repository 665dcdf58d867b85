import { join } from 'node:path'
import type { Settings } from '../config/settings.ts'
import type { PipelineParts } from '../core/attempt.ts'
import type { Mask } from '../core/mask.ts'
import { withOwnSecrets } from '../core/own-secrets.ts'
import { createGateway } from '../gateway/gateway.ts'
import { createCredentials } from '../git/credentials.ts'
import { localPlace } from '../git/git-place.ts'
import { createPublisher } from '../git/publisher.ts'
import { createGithub } from '../github/github-forge.ts'
import { processTag, sweepTagged } from '../jail/process-tag.ts'
import { refusedHost } from '../jail/refused-host.ts'
import { createRegistries } from '../local/registries.ts'
import type { Log } from '../ports/log.ts'
import type { TaskStore } from '../ports/task-store.ts'
import { noTracing, type Tracing } from '../ports/tracing.ts'
import type { Database } from '../postgres/database.ts'
import { openSpend } from '../postgres/spend.ts'
import { isTransient } from '../postgres/transient.ts'
import type { Closers } from '../process/closers.ts'
import { createSpawner } from '../process/spawner.ts'
import { systemClock } from '../process/system-clock.ts'
import { createSecretScanner } from '../secretlint/secret-scanner.ts'
import { allAgents } from './agents.ts'
import { version } from './machine.ts'
import { operatorPolicyOf } from './operator-policy.ts'
import { openRuntimes, type OpenedRuntimes } from './runtimes.ts'

/** With less free than this, no task is taken. */
export const minFreeBytes = 512 * 1024 * 1024

/** Opens everything that a pipeline calls, but for the store. */
export async function openPipelineParts(
  settings: Settings,
  around: {
    readonly store: TaskStore
    readonly database: Database
    readonly log: Log
    readonly mask: Mask
    readonly closers: Closers
  },
): Promise<{ readonly parts: PipelineParts; readonly runtimes: OpenedRuntimes }> {
  const { store, database, log, mask, closers } = around
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
          : { serverUrl: settings.github.serverUrl, token: github.tokenFor },
      log,
    }),
    log,
  })
  const runtimes = await openRuntimes(settings, { spawner, log, closers, minFreeBytes })
  const agents = allAgents(settings, spawner.run, mask.hide)
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
    proposals: settings.github ?? { draft: false, labels: [], reviewers: [], heeded: [] },
    maxTurns: settings.maxTurns,
    clock: systemClock,
    limits: { memoryBytes: settings.memoryBytes, processes: settings.processes },
    author: { authorName: settings.author.name, authorEmail: settings.author.email },
    operatorPolicy: await operatorPolicyOf(settings),
    registries: createRegistries({ path: settings.path, userHome: settings.userHome, run: spawner.run }),
    scanSecrets: withOwnSecrets(createSecretScanner(), mask),
    refusedHost: refusedHost(settings.network),
    isTransient,
    mask,
    tracing: await tracingOf(settings, closers),
  }
  return { parts, runtimes }
}

async function tracingOf(settings: Settings, closers: Closers): Promise<Tracing> {
  if (settings.tracing === null) return noTracing
  // Loaded where it is asked for alone: it costs memory and a moment at the start.
  const { openTracing } = await import('../telemetry/otel-tracing.ts')
  const tracing = await openTracing({ ...settings.tracing, version: await version() })
  closers.push(() => tracing.close())
  return tracing
}
