import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Task } from '../../src/model/task.ts'

const bin = fileURLToPath(new URL('../../bin/nightshift.js', import.meta.url))

/** A `nightshift serve` on its own embedded database, in a home of its own. */
export interface BenchServer {
  readonly url: string
  readonly child: ChildProcess
  submit(body: Readonly<Record<string, unknown>>): Promise<Task>
  /** Starts a run; answers it. */
  start(body: Readonly<Record<string, unknown>>): Promise<{ id: string }>
  get<T>(path: string): Promise<T>
  post(path: string): Promise<void>
  /** Resolves when all of these tasks have ended; throws where one ended otherwise than `pushed`. */
  untilPushed(tasks: readonly Task[]): Promise<Task[]>
  /** Resident megabytes of the process, database apart. */
  residentMb(): Promise<number>
  close(): Promise<void>
}

/** `databaseUrl`: instead of an embedded one. `more`: further variables of its environment. */
export async function startBenchServer(
  folder: string,
  slots: number,
  databaseUrl?: string,
  more: Readonly<Record<string, string>> = {},
): Promise<BenchServer> {
  const environment = {
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    NIGHTSHIFT_HOME: `${folder}/home`,
    NIGHTSHIFT_REPO_ROOTS: folder,
    ...more,
  }
  const child = spawn(process.execPath, [bin, 'serve', '--port', '0', '--slots', String(slots), '--json'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const { url } = JSON.parse(line.toString('utf8')) as { url: string }
  const api = `${url}/api/v1`

  async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${api}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as T
  }

  return {
    url,
    child,
    submit: (body) => call('POST', '/tasks', body),
    start: (body) => call('POST', '/runs', body),
    get: (path) => call('GET', path),
    post: async (path) => void (await call('POST', path)),
    async untilPushed(tasks) {
      const done: Task[] = []
      for (const { id } of tasks) {
        let task = await call<Task>('GET', `/tasks/${id}`)
        // One at a time, and seldom: the measuring must not be what is measured.
        while (task.state !== 'done') {
          await new Promise((resolve) => setTimeout(resolve, 50))
          task = await call<Task>('GET', `/tasks/${id}`)
        }
        if (task.outcome !== 'pushed') throw new Error(`${id} ended ${task.outcome}: ${task.reason}`)
        done.push(task)
      }
      return done
    },
    async residentMb() {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
    },
    async close() {
      const ended = once(child, 'close')
      child.kill('SIGTERM')
      await ended
    },
  }
}
