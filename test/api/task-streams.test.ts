import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serverSentEvents } from '../../src/client/server-sent-events.ts'
import type { TaskEvent } from '../../src/model/event.ts'
import type { Lease } from '../../src/ports/lease.ts'
import type { Task } from '../../src/model/task.ts'
import { end, output, serveOnTest, type Served } from './served.ts'

/** Reads a stream to its end: the events, and what the message named end said. */
async function readAll(response: Response, seen: (event: TaskEvent) => void = () => {}) {
  if (response.body === null) throw new Error('no body')
  const events: TaskEvent[] = []
  let ended: unknown = null
  for await (const message of serverSentEvents(response.body)) {
    if (message.event === 'end') ended = JSON.parse(message.data)
    else if (message.data !== '') {
      const event = JSON.parse(message.data) as TaskEvent
      events.push(event)
      seen(event)
    }
  }
  return { events, ended }
}

const texts = (events: readonly TaskEvent[]) =>
  events.filter((event) => event.type === 'output').map((event) => event.text)

describe('the events of a task', () => {
  let served: Served
  let task: Task
  let lease: Lease
  beforeEach(async () => {
    served = await serveOnTest({ keepAliveMs: 1 })
    task = await served.submit()
    lease = await served.claim()
  })
  afterEach(() => served.close())

  const stream = (headers: Record<string, string> = {}, signal?: AbortSignal) =>
    served.call('GET', `/api/v1/tasks/${task.id}/events`, {
      headers: { accept: 'text/event-stream', ...headers },
      ...(signal === undefined ? {} : { signal }),
    })

  it('come while they happen, in order, each once, and end with the outcome', async () => {
    const response = await stream()
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const first = Promise.withResolvers<void>()
    const reading = readAll(response, (event) => {
      if (event.text === 'line 0') first.resolve()
    })
    await served.database.store.record(lease, [output('line 0')])
    await first.promise
    // Many pages, written while they are read.
    const expected = ['line 0']
    for (let page = 0; page < 10; page += 1) {
      const lines = Array.from({ length: 30 }, (_, index) => `line ${page}.${index}`)
      expected.push(...lines)
      await served.database.store.record(lease, lines.map(output))
    }
    await end(served, lease)
    const { events, ended } = await reading
    expect(texts(events)).toEqual(expected)
    const ids = events.map((event) => event.id)
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b))
    expect(ended).toEqual({ outcome: 'no_changes' })
    expect(events.at(-1)).toMatchObject({ type: 'state', data: { outcome: 'no_changes' } })
  })

  it('go on after Last-Event-ID without a gap, and answer 204 when there is nothing more', async () => {
    await served.database.store.record(lease, ['a', 'b', 'c'].map(output))
    await end(served, lease)
    const all = (await readAll(await stream())).events
    for (const [index, event] of all.entries()) {
      const response = await stream({ 'last-event-id': String(event.id) })
      if (index === all.length - 1) expect(response.status).toBe(204)
      else expect((await readAll(response)).events).toEqual(all.slice(index + 1))
    }
    expect((await stream({ 'last-event-id': 'x' })).status).toBe(422)
  })

  it('are JSON for who does not ask for a stream, with after and limit', async () => {
    await served.database.store.record(lease, ['a', 'b', 'c'].map(output))
    const list = async (query: string) => {
      const response = await served.call('GET', `/api/v1/tasks/${task.id}/events${query}`)
      return ((await response.json()) as { items: TaskEvent[] }).items
    }
    const all = await list('')
    expect(texts(all)).toEqual(['a', 'b', 'c'])
    expect(await list(`?after=${all[0]?.id}&limit=2`)).toEqual(all.slice(1, 3))
  })

  it('send comments while nothing happens, so that no proxy cuts the stream', async () => {
    const response = await stream()
    const reader = response.body?.getReader()
    let text = ''
    while (!text.includes(': still here\n\n')) text += new TextDecoder().decode((await reader?.read())?.value)
    await reader?.cancel()
  })

  it('are read no faster than the reader takes them', async () => {
    let asked = 0
    const { store } = served.system
    const counting = await serveCounting(() => (asked += 1))
    for (let index = 0; index < 40; index += 1) {
      await store.record(
        lease,
        Array.from({ length: 10 }, () => output('x'.repeat(1000))),
      )
    }
    const reader = (await counting('text/event-stream')).body?.getReader()
    expect(asked).toBe(0)
    await reader?.read()
    expect(asked).toBe(1)
    await reader?.read()
    expect(asked).toBe(2)
    await reader?.cancel()
    expect(asked).toBe(2)
  })

  it('end when the server closes, without a message that says the task is done', async () => {
    const response = await stream()
    const reading = readAll(response)
    await served.api.close()
    expect((await reading).ended).toBeNull()
  })

  it('as a log are the lines that were printed, up to now or to the end', async () => {
    await served.database.store.record(lease, [
      { type: 'note', step: 'agent', text: 'not in the log', data: {} },
      output('one'),
      output('two\n'),
    ])
    const now = await served.call('GET', `/api/v1/tasks/${task.id}/log`)
    expect([now.headers.get('content-type'), await now.text()]).toEqual([
      'text/plain; charset=utf-8',
      'one\ntwo\n',
    ])
    const following = served
      .call('GET', `/api/v1/tasks/${task.id}/log?follow=1`)
      .then((response) => response.text())
    await served.database.store.record(lease, [output('three')])
    await end(served, lease)
    expect(await following).toBe('one\ntwo\nthree\n')
  })

  it('answer HEAD without reading anything', async () => {
    const response = await served.call('HEAD', `/api/v1/tasks/${task.id}/events`, {
      headers: { accept: 'text/event-stream' },
    })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  /** The same API, with a count of the pages of events that were asked for. */
  async function serveCounting(count: () => void) {
    const { createApi } = await import('../../src/api/app.ts')
    const { createAccess } = await import('../../src/api/access.ts')
    const { store, tokens, sessions } = served.system
    const counted: typeof store = {
      ...store,
      events: (id, how) => {
        count()
        return store.events(id, how)
      },
    }
    const access = createAccess({
      host: '127.0.0.1',
      port: () => 8080,
      tokens,
      sessions,
      environmentToken: null,
    })
    const api = createApi({ system: { ...served.system, store: counted }, access })
    return async (accept: string) =>
      api.app.request(`/api/v1/tasks/${task.id}/events`, { headers: { host: '127.0.0.1:8080', accept } })
  }
})
