import { Client } from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../ports/log.ts'
import type { TaskStore } from '../ports/task-store.ts'
import { channel, queuePayload } from './notifier.ts'

type Listener = Parameters<TaskStore['listen']>[0]

const connectTimeoutMs = 10_000
// A connection whose other end has vanished says nothing at all: it is asked.
const probeEveryMs = 15_000
const probeTimeoutMs = 10_000
const maxReconnectMs = 5000

/** One connection of its own, shared by all listeners; a pool would hand it to others. */
export interface Listening {
  listen: TaskStore['listen']
  close(): Promise<void>
}

/** `missed` finds the tasks that may have changed since a time, in milliseconds before now. */
export function createListening(
  connection: string,
  log: Log,
  missed: (sinceMs: number) => Promise<readonly string[]>,
): Listening {
  const listeners = new Set<Listener>()
  const stop = new AbortController()
  let connected: Promise<Client> | null = null
  let reconnecting: Promise<void> | null = null

  function tell(payload: string): void {
    for (const listener of listeners) {
      try {
        if (payload === queuePayload) listener.queue?.()
        else listener.task?.(payload)
      } catch (error) {
        log.error('a listener failed', { error: String(error) })
      }
    }
  }

  async function connect(): Promise<Client> {
    const client = new Client({
      connectionString: connection,
      application_name: 'nightshift listen',
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
    })
    // Fires for every way a connection breaks, several times for some.
    let broken = false
    let established = false
    const onBroken = () => {
      if (broken) return
      broken = true
      clearInterval(probe)
      client.end().catch(() => {})
      if (established && !stop.signal.aborted) reconnecting ??= reconnect()
    }
    const probe = setInterval(() => {
      const late = setTimeout(() => client.connection.stream.destroy(), probeTimeoutMs)
      client
        .query('select 1')
        .catch(onBroken)
        .finally(() => clearTimeout(late))
    }, probeEveryMs)
    probe.unref()
    client.on('error', onBroken)
    client.on('end', onBroken)
    client.on('notification', (message) => tell(message.payload ?? ''))
    try {
      await client.connect()
      await client.query(`listen ${channel}`)
      established = true
      return client
    } catch (error) {
      broken = true
      clearInterval(probe)
      await client.end().catch(() => {})
      throw error
    }
  }

  async function reconnect(): Promise<void> {
    const lostAt = performance.now()
    log.warn('the connection that listens for changes broke')
    for (let waitMs = 100; !stop.signal.aborted; waitMs = Math.min(waitMs * 2, maxReconnectMs)) {
      try {
        connected = connect()
        await connected
        break
      } catch {
        await sleep(waitMs, undefined, { signal: stop.signal }).catch(() => {})
      }
    }
    reconnecting = null
    if (stop.signal.aborted) return
    tell(queuePayload)
    try {
      for (const id of await missed(performance.now() - lostAt)) tell(id)
    } catch (error) {
      log.warn('hints may have been missed', { error: String(error) })
    }
  }

  return {
    listen: async (on) => {
      connected ??= connect()
      try {
        await (reconnecting ?? connected)
      } catch (error) {
        connected = null
        throw error
      }
      listeners.add(on)
      return () => {
        listeners.delete(on)
        return Promise.resolve()
      }
    },
    close: async () => {
      stop.abort()
      listeners.clear()
      await reconnecting
      const client = await connected?.catch(() => null)
      await client?.end().catch(() => {})
    },
  }
}
