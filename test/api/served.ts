import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccess } from '../../src/api/access.ts'
import { createApi, type Api } from '../../src/api/app.ts'
import { readSettings } from '../../src/config.ts'
import type { DoctorEntry, System } from '../../src/core/system.ts'
import type { SubmitContext } from '../../src/core/submit.ts'
import { localPlace } from '../../src/git/git-place.ts'
import { createPublisher } from '../../src/git/publisher.ts'
import { createRepositories } from '../../src/git/repositories.ts'
import { noEvidence } from '../../src/model/evidence.ts'
import type { NewEvent } from '../../src/model/event.ts'
import type { Outcome } from '../../src/model/outcome.ts'
import type { Task } from '../../src/model/task.ts'
import type { Lease } from '../../src/ports/lease.ts'
import { openDashboard } from '../../src/postgres/dashboard.ts'
import { openEventLog } from '../../src/postgres/event-log.ts'
import { openNumbers } from '../../src/postgres/numbers.ts'
import { openSessionStore } from '../../src/postgres/session-store.ts'
import { openRunStore } from '../../src/postgres/run-store.ts'
import { openScheduleStore } from '../../src/postgres/schedule-store.ts'
import { run } from '../../src/process/run.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { quiet } from '../support/quiet.ts'
import { makeRepository } from '../support/repositories.ts'

export interface ServedOptions {
  /** What the server is bound to; 127.0.0.1. */
  readonly host?: string
  readonly environmentToken?: string
  readonly keepAliveMs?: number
  readonly draining?: () => string | null
}

/** An API over a database of its own, called in process. */
export interface Served {
  readonly database: TestDatabase
  readonly system: System
  readonly api: Api
  /** Path of a repository that REST may name. */
  readonly repo: string
  /** What was logged as an error. */
  readonly logged: Readonly<Record<string, unknown>>[]
  readonly call: (method: string, path: string, init?: CallInit) => Promise<Response>
  readonly submit: (body?: Readonly<Record<string, unknown>>) => Promise<Task>
  /** Takes the next task, as a worker would. */
  readonly claim: () => Promise<Lease>
  readonly close: () => Promise<void>
}

export interface CallInit {
  readonly body?: unknown
  /** The body as it is, instead of JSON. */
  readonly raw?: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export const port = 8080

export async function serveOnTest(options: ServedOptions = {}): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-api-'))
  const database = await testDatabase()
  const { path: repo } = await makeRepository(join(folder, 'one.git'))
  const logged: Readonly<Record<string, unknown>>[] = []
  const system = await testSystem(database, folder, logged)
  const api = createApi({
    system,
    access: createAccess({
      host: options.host ?? '127.0.0.1',
      port: () => port,
      tokens: system.tokens,
      sessions: system.sessions,
      environmentToken: options.environmentToken ?? null,
    }),
    ...(options.keepAliveMs === undefined ? {} : { keepAliveMs: options.keepAliveMs }),
    ...(options.draining === undefined ? {} : { draining: options.draining }),
  })
  const call = async (method: string, path: string, init: CallInit = {}) => {
    const body = init.raw ?? (init.body === undefined ? undefined : JSON.stringify(init.body))
    return api.app.request(path, {
      method,
      headers: {
        host: `127.0.0.1:${port}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...init.headers,
      },
      ...(body === undefined ? {} : { body, duplex: 'half' }),
      ...(init.signal === undefined ? {} : { signal: init.signal }),
    })
  }
  return {
    database,
    system,
    api,
    repo,
    logged,
    call,
    async submit(body = {}) {
      const request = { repo, prompt: 'Say hello', command: 'true', ...body }
      const response = await call('POST', '/api/v1/tasks', { body: request })
      if (response.status !== 202) throw new Error(await response.text())
      return (await response.json()) as Task
    },
    async claim() {
      const claimed = await database.store.claim({
        workerId: 'worker-1',
        pool: null,
        agents: ['command'],
        lacking: [],
        accounts: [],
        runtimes: ['local'],
        machineId: 'machine-1',
      })
      if (claimed === null) throw new Error('there is nothing to claim')
      return claimed.lease
    },
    async close() {
      await api.close()
      await database.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const healthy: DoctorEntry[] = ['database', 'git', 'runtime local', 'agent command'].map((area) => ({
  area,
  ok: true,
  detail: 'works',
  todo: null,
}))

/** A system over a real store, whose scheduler is left out: tests end tasks by hand. */
export async function testSystem(
  database: TestDatabase,
  repoRoot: string,
  logged: Readonly<Record<string, unknown>>[] = [],
): Promise<System> {
  const settings = readSettings({ HOME: repoRoot, PATH: process.env['PATH'] })
  const submitContext: SubmitContext = {
    store: database.store,
    repositories: createRepositories({ repoRoots: [repoRoot], cwd: repoRoot }),
    agents: ['command'],
    runtimes: ['local', 'dagger'],
    machineId: 'machine-1',
    refusedHost: (host) => (host === 'localhost' ? 'localhost is not allowed' : null),
    refusedMerge: () => null,
  }
  const publisher = await createPublisher({
    place: localPlace(settings.home, run),
    path: settings.path,
    passThrough: {},
    credentialsFor: () => Promise.resolve(null),
    log: quiet,
  })
  return {
    settings,
    store: database.store,
    tokens: database.tokens,
    sessions: openSessionStore(database.database),
    dashboard: openDashboard(database.database),
    eventLog: openEventLog(database.database, quiet),
    numbers: openNumbers(database.database),
    submitContext,
    schedules: openScheduleStore(database.database),
    runContext: { submit: submitContext, runs: openRunStore(database.database), publisher },
    log: {
      info: () => {},
      warn: () => {},
      error: (message, facts) => void logged.push({ message, ...facts }),
    },
    version: '0.0.0-test',
    explainRuntime: (asked) => Promise.resolve(asked),
    runtimeFor: () => Promise.resolve('local'),
    backup: () => Promise.reject(new Error('not in these tests')),
    diskFreeBytes: () => Promise.resolve(5_000_000_000),
    engines: () => [{ engine: 'tcp://one:1234', slots: 8, tasks: 3, up: true, diskFreeBytes: 7_000_000 }],
    doctor: () => Promise.resolve(healthy),
    startScheduler: () => ({ running: 0, drain: () => Promise.resolve() }),
    close: () => Promise.resolve(),
  }
}

export function output(text: string): NewEvent {
  return { type: 'output', step: 'agent', text, data: {} }
}

export async function end(served: Served, lease: Lease, outcome: Outcome = 'no_changes', diff?: string) {
  const ending = { outcome, reason: null, evidence: noEvidence() }
  await served.database.store.settle(lease, ending, diff === undefined ? null : Buffer.from(diff))
}
