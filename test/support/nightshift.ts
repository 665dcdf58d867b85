import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import type { Task } from '../../src/model/task.ts'

const bin = fileURLToPath(new URL('../../bin/nightshift.js', import.meta.url))

/** Where and with what a process of Nightshift runs: its own home, the test's database, nothing of the machine's. */
export interface Place {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  remove(): Promise<void>
}

/** Makes a temporary place; `repos` below it is where REST may name repositories. */
export async function makePlace(
  databaseUrl: string,
  extra: Readonly<Record<string, string>> = {},
): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-e2e-'))
  return {
    folder,
    environment: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: folder,
      DATABASE_URL: databaseUrl,
      NIGHTSHIFT_HOME: join(folder, 'home'),
      NIGHTSHIFT_REPO_ROOTS: folder,
      ...extra,
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}

export interface CliEnd {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly stdin?: string
  readonly cwd?: string
  /** A program and its arguments, which starts the one that follows. */
  readonly wrapper?: readonly string[]
}

/** A process of Nightshift that is running. */
export interface CliProcess {
  readonly child: ChildProcess
  /** Everything so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  readonly ended: Promise<CliEnd>
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<CliEnd>
}

// A test that fails half-way must not leave its processes to the next.
const alive = new Set<ChildProcess>()
afterAll(() => {
  for (const child of alive) child.kill('SIGKILL')
})

/** Starts `nightshift ARGS…` as a person's shell would, in a process of its own. */
export function startCli(place: Place, args: readonly string[], options: CliOptions = {}): CliProcess {
  const [program = '', ...rest] = [...(options.wrapper ?? []), process.execPath, bin, ...args]
  const child = spawn(program, rest, {
    cwd: options.cwd ?? place.folder,
    env: place.environment,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  alive.add(child)
  child.once('exit', () => alive.delete(child))
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => {})
  child.stdin.end(options.stdin ?? '')
  const ended = once(child, 'close').then(([exitCode]) => ({
    exitCode: exitCode as number | null,
    stdout,
    stderr,
  }))
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return ended
    },
  }
}

/** Sends a signal again and again, as an impatient person does, until the process ends. */
export async function press(started: CliProcess, signal: NodeJS.Signals): Promise<CliEnd> {
  const again = setInterval(() => started.child.kill(signal), 100)
  try {
    return await started.stop(signal)
  } finally {
    clearInterval(again)
  }
}

/** Runs `nightshift ARGS…` to its end. */
export function runCli(place: Place, args: readonly string[], options: CliOptions = {}): Promise<CliEnd> {
  return startCli(place, args, options).ended
}

/** The tasks that `run --json` printed. */
export function tasksOf(end: CliEnd): Task[] {
  try {
    return (JSON.parse(end.stdout) as { tasks: Task[] }).tasks
  } catch (error) {
    throw new Error(`no JSON on stdout (exit ${end.exitCode}):\n${end.stdout}\n${end.stderr}`, {
      cause: error,
    })
  }
}

/** A server of Nightshift in a process of its own. */
export interface Server {
  readonly url: string
  readonly process: CliProcess
  request(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response>
  /** Submits and answers the task; throws where it was not accepted. */
  submit(body: Readonly<Record<string, unknown>>, path?: string): Promise<Task>
  task(id: string): Promise<Task>
  /** Waits until the task has ended, and answers it. */
  untilDone(id: string, patienceMs?: number): Promise<Task>
}

/** Starts `nightshift serve` on a free port. */
export async function startServer(place: Place, args: readonly string[] = []): Promise<Server> {
  const process = startCli(place, ['serve', '--port', '0', '--json', ...args])
  const url = await until(() => {
    const line = process.stdout().split('\n')[0] ?? ''
    if (process.child.exitCode !== null) throw new Error(`serve ended: ${process.stderr()}`)
    return line.endsWith('}') ? (JSON.parse(line) as { url: string }).url : null
  })
  const server: Server = {
    url,
    process,
    request: (method, path, body, headers = {}) =>
      fetch(`${url}${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    async submit(body, path = '/api/v1/tasks') {
      const response = await server.request('POST', path, body)
      if (response.status !== 202) throw new Error(`${response.status}: ${await response.text()}`)
      return (await response.json()) as Task
    },
    async task(id) {
      return (await (await server.request('GET', `/api/v1/tasks/${id}`)).json()) as Task
    },
    untilDone: (id, patienceMs) =>
      until(
        async () => {
          const task = await server.task(id)
          return task.state === 'done' ? task : null
        },
        `the end of ${id}`,
        patienceMs,
      ),
  }
  return server
}

/** Asks again and again until there is an answer that is not null; gives up after the time, by default 90 s. */
export async function until<T>(
  ask: () => T | null | Promise<T | null>,
  what = 'a condition',
  patienceMs = 90_000,
): Promise<T> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const answer = await ask()
    if (answer !== null) return answer
    if (performance.now() > deadline) throw new Error(`waited ${patienceMs / 1000} s for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}
