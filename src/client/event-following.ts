import { setTimeout as sleep } from 'node:timers/promises'
import { eventSchema, type TaskEvent } from '../model/event.ts'
import { ServerProblem, ServerUnreachable } from './failures.ts'
import type { Http } from './http.ts'
import { serverSentEvents } from './server-sent-events.ts'

/** Four times the server's own comments: longer silence means that nobody is there any more. */
const silenceMs = 60_000
/** About half a minute of waiting in all, since the last event. */
const maxFailures = 9

/**
 * The events of a task, each once, in order, until it is done. A lost connection is taken up after the last event.
 * Rejects with `ServerProblem` where the server refuses, `ServerUnreachable` where it stays away.
 */
export async function* followEvents(
  http: Http,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<TaskEvent, void> {
  let last = 0
  let failures = 0
  for (;;) {
    const silence = watchSilence()
    try {
      const response = await http.open(path, {
        headers: { accept: 'text/event-stream', 'last-event-id': String(last) },
        signal: silence.signal,
      })
      if (response.status === 204 || response.body === null) return
      for await (const message of serverSentEvents(response.body)) {
        silence.heard()
        if (message.event === 'end') return
        if (message.data === '') continue
        const event = eventSchema.parse(JSON.parse(message.data))
        if (event.id <= last) continue
        last = event.id
        failures = 0
        yield event
      }
      throw new Error('the stream ended before the task did')
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof ServerProblem && error.status < 500) throw error
      failures += 1
      if (failures >= maxFailures) throw unreachable(http, error)
    } finally {
      silence.end()
    }
    await sleep(Math.min(100 * 2 ** failures, 5000), undefined, { signal })
  }
}

function unreachable(http: Http, error: unknown): Error {
  if (error instanceof ServerProblem || error instanceof ServerUnreachable) return error
  return new ServerUnreachable(http.url, error)
}

function watchSilence() {
  const over = new AbortController()
  let timer = setTimeout(() => over.abort(), silenceMs)
  return {
    signal: over.signal,
    heard() {
      clearTimeout(timer)
      timer = setTimeout(() => over.abort(), silenceMs)
    },
    end: () => clearTimeout(timer),
  }
}
