import type { TaskEvent } from '../../src/model/event.ts'
import type { TestDatabase } from './database.ts'
import { startCli, until, type CliProcess, type Place } from './nightshift.ts'

/** Starts `nightshift worker`; resolves when it takes tasks. */
export async function startWorker(place: Place, args: readonly string[] = []): Promise<CliProcess> {
  const worker = startCli(place, ['worker', '--json', ...args])
  await until(() => {
    if (worker.child.exitCode !== null) throw new Error(`worker ended: ${worker.stderr()}`)
    return worker.stdout().includes('\n') ? true : null
  }, 'a worker')
  return worker
}

/** All events of a task, read behind every server's back: also while one is stopped. */
export async function eventsOf(database: TestDatabase, id: string): Promise<readonly TaskEvent[]> {
  const events: TaskEvent[] = []
  for (;;) {
    const page = await database.store.events(id, { after: events.at(-1)?.id ?? 0, limit: 500 })
    if (page.length === 0) return events
    events.push(...page)
  }
}

/** What the sandboxes of a task printed. */
export async function outputOf(database: TestDatabase, id: string): Promise<string> {
  const events = await eventsOf(database, id)
  return events
    .filter((event) => event.type === 'output')
    .map((event) => event.text)
    .join('')
}

/** Waits until a task's agent has printed this. */
export function untilSaid(database: TestDatabase, id: string, text: string): Promise<true> {
  return until(
    async () => ((await outputOf(database, id)).includes(text) ? true : null),
    `${id} to say ${text}`,
  )
}

/** How many times a task ended: more than once is never right. */
export async function endsOf(database: TestDatabase, id: string): Promise<number> {
  const events = await eventsOf(database, id)
  return events.filter((event) => event.type === 'state' && event.data['state'] === 'done').length
}
