import { createClient, type Client, type Submission } from './client.ts'

export type { Client, PlanRun, Submission } from './client.ts'
export { ServerProblem, ServerUnreachable } from './failures.ts'
export type { TaskEvent } from '../model/event.ts'
export type { Run, RunBatches } from '../model/run.ts'
export type { Schedule } from '../model/schedule/schedule.ts'
export type { Task } from '../model/task.ts'

/** Where a server is, and what it is asked with. */
export interface ConnectOptions {
  /** Default: `http://127.0.0.1:8080`. */
  readonly url?: string
  readonly token?: string
  /** Ends everything that is under way. */
  readonly signal?: AbortSignal
}

/** Speaks to a server of Nightshift from a script. Nothing is asked of it yet. */
export function connect(options: ConnectOptions = {}): Client {
  const { url = 'http://127.0.0.1:8080', token = null, signal = new AbortController().signal } = options
  return createClient({ url: url.replace(/\/+$/, ''), token, signal })
}

/** Queues a task and waits for its end, however that is. */
export async function runTask(client: Client, submission: Submission) {
  const { id } = await client.submit({ ...submission })
  const events = client.events(id)
  // The stream of its events ends with it.
  while (!(await events.next()).done);
  return client.get(id)
}
