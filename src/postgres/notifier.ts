import { setTimeout as sleep } from 'node:timers/promises'
import { sql, type Kysely } from 'kysely'
import type { Log } from '../ports/log.ts'
import { prepared } from './prepared.ts'
import type { Schema } from './schema.ts'

/** The one channel of LISTEN and NOTIFY. */
export const channel = 'nightshift'
/** Payload where there may be work; otherwise the payload is the id of a task. */
export const queuePayload = 'queue'

const maxNamed = 200
/** After one statement, so long is collected for the next: who shows a task need not redraw more often. */
const gatherMs = 50

/**
 * Sends hints after a commit: the first at once, those that follow closely in one statement. Not within the transactions themselves:
 * PostgreSQL lets only one transaction with a NOTIFY commit at a time, its write to disk included, and a hint may be
 * lost anyway.
 */
export interface Notifier {
  queue(): void
  task(taskId: string): void
  /** These tasks changed, and with them perhaps what may start. */
  changed(taskIds: readonly string[]): void
  /** Waits for what is under way. */
  close(): Promise<void>
}

export function createNotifier(db: Kysely<Schema>, log: Log): Notifier {
  let waiting = new Set<string>()
  let sending: Promise<void> | null = null
  let hasten = () => {}
  let closing = false

  async function sendAll(): Promise<void> {
    while (waiting.size > 0) {
      const payloads = [...waiting]
      waiting = new Set()
      try {
        await sql`${prepared} select pg_notify(${channel}, payload) from unnest(${payloads}::text[]) payload`.execute(
          db,
        )
      } catch (error) {
        log.warn('a hint to other processes was lost', { error: String(error) })
      }
      await gathering()
    }
    sending = null
  }

  /** A free slot and what may start are not kept waiting. */
  async function gathering(): Promise<void> {
    const hurry = new AbortController()
    hasten = () => hurry.abort()
    if (!closing && !waiting.has(queuePayload))
      await sleep(gatherMs, undefined, { signal: hurry.signal }).catch(() => {})
  }

  function send(payload: string): void {
    waiting.add(payload)
    if (payload === queuePayload) hasten()
    sending ??= sendAll()
  }

  return {
    queue: () => send(queuePayload),
    task: send,
    changed: (taskIds) => {
      if (taskIds.length > 0) send(queuePayload)
      // Whoever shows a page of thousands looks again by itself.
      for (const id of taskIds.slice(0, maxNamed)) send(id)
    },
    close: async () => {
      closing = true
      hasten()
      await sending
    },
  }
}
