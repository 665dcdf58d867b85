import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { serverSentEvents } from '../../src/client/server-sent-events.ts'
import type { TaskEvent } from '../../src/model/event.ts'
import { until } from '../support/nightshift.ts'
import { end, output, serveOnTest, type Served } from './served.ts'

/** Reads a stream in the background, as a program does that keeps the last id. */
class Reader {
  readonly events: TaskEvent[] = []
  lastId = ''
  ended = false
  readonly #gone = new AbortController()
  #reading: Promise<void> = Promise.resolve()

  async open(served: Served, query = ''): Promise<this> {
    const headers: Record<string, string> = this.lastId === '' ? {} : { 'last-event-id': this.lastId }
    const response = await served.call('GET', `/events${query}`, { headers, signal: this.#gone.signal })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream'])
    const { body } = response
    if (body === null) throw new Error('no body')
    this.#reading = (async () => {
      for await (const message of serverSentEvents(body)) {
        if (message.id !== '') this.lastId = message.id
        if (message.event === 'end') this.ended = true
        else if (message.data !== '') this.events.push(JSON.parse(message.data) as TaskEvent)
      }
    })().catch(() => {})
    await until(
      () => (this.lastId === '' && !query.includes('task=') ? null : true),
      'the beginning of a stream',
    )
    return this
  }

  until(count: number): Promise<true> {
    return until(() => (this.events.length >= count ? true : null), `${count} events`)
  }

  texts(): string[] {
    return this.events.map((event) => event.text)
  }

  async close(): Promise<void> {
    this.#gone.abort()
    await this.#reading
  }
}

describe('the stream of all events', () => {
  let served: Served
  beforeEach(async () => {
    served = await serveOnTest({ keepAliveMs: 50 })
  })
  afterEach(async () => {
    await served.api.close()
    await served.close()
  })

  it('begins now, and goes on after the last id without a gap or a double, on whichever server', async () => {
    await served.submit({ prompt: 'Before' })
    const first = await new Reader().open(served)
    const task = await served.submit()
    const lease = await served.claim()
    await served.database.store.record(lease, ['a', 'b'].map(output))
    await until(() => (first.texts().includes('b') ? true : null))
    const seen = [...first.events]
    await served.database.store.record(lease, ['c', 'd'].map(output))
    const second = new Reader()
    second.lastId = String(seen.at(-1)?.id)
    await second.open(served)
    await end(served, lease)
    await until(() => (second.events.some((event) => event.data['state'] === 'done') ? true : null))
    const all = [...seen, ...second.events]
    expect(new Set(all.map((event) => event.id)).size).toBe(all.length)
    expect(all.filter((event) => event.type === 'output').map((event) => event.text)).toEqual([
      'a',
      'b',
      'c',
      'd',
    ])
    expect(all.some((event) => event.taskId === task.id && event.type === 'state')).toBe(true)
  })

  it('says where it stands before anything happens: what comes while the connection is lost is not missed', async () => {
    const reader = await new Reader().open(served)
    const { lastId } = reader
    await served.submit()
    const lease = await served.claim()
    await served.database.store.record(lease, [output('meanwhile')])
    const later = new Reader()
    later.lastId = lastId
    await later.open(served, '?types=output')
    await later.until(1)
    expect(later.texts()).toEqual(['meanwhile'])
  })

  it('waits for a transaction that drew a smaller id: nobody misses what becomes visible late', async () => {
    await served.submit()
    const lease = await served.claim()
    const reader = await new Reader().open(served, '?types=note,output')
    const slow = new Client({ connectionString: served.database.url })
    await slow.connect()
    try {
      await slow.query('begin')
      await slow.query(
        `insert into events (task_id, attempt, type, text, data) values ('SLOW', 1, 'note', 'slow', '{}')`,
      )
      await served.database.store.record(lease, [output('quick')])
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(reader.texts()).toEqual([])
      await slow.query('commit')
    } finally {
      await slow.end()
    }
    await reader.until(2)
    expect(reader.texts()).toEqual(['slow', 'quick'])
  })

  it('of one task ends with it; of a run are those of its tasks, from the beginning; of types, no others', async () => {
    const one = await served.submit({ prompt: 'One' })
    await served.submit({ prompt: 'Two' })
    await served.database.query(
      `update tasks set run_id = 'RUN1', batch = '1', batch_number = 0, plan_order = 0, plan_task = '1' where id = '${one.id}'`,
    )
    const lease = await served.claim()
    await served.database.store.record(lease, [output('x')])
    await end(served, lease)
    const ofTask = await new Reader().open(served, `?task=${one.id}`)
    await until(() => (ofTask.ended ? true : null))
    const ofRun = await new Reader().open(served, '?run=RUN1')
    await ofRun.until(ofTask.events.length)
    expect(ofRun.events).toEqual(ofTask.events)
    const states = await new Reader().open(served, '?types=state&after=0')
    await states.until(4)
    expect(new Set(states.events.map((event) => event.type))).toEqual(new Set(['state']))
  })

  it.each([
    ['?types=nonsense', 'types'],
    ['?after=x', 'after'],
    ['?task=0000&run=1', 'task'],
    ['?unknown=1', 'unknown'],
  ])('refuses %s and names the field', async (query, field) => {
    const response = await served.call('GET', `/events${query}`)
    expect([response.status, await response.text()]).toEqual([422, expect.stringContaining(field)])
  })

  it('answers 404 for a task that is not there', async () => {
    expect((await served.call('GET', '/events?task=NOSUCHTASK')).status).toBe(404)
  })
})

describe('many readers of one task', () => {
  it('share their questions to the database, and each gets every line once, the slow ones too', async () => {
    const served = await serveOnTest()
    try {
      const task = await served.submit()
      const lease = await served.claim()
      await served.database.query("update tasks set lease_until = now() + interval '1 hour'")
      const count = { asked: 0 }
      const { store } = served.database
      const original = store.events
      Object.assign(store, {
        events: (...given: Parameters<typeof original>) => {
          count.asked += 1
          return original(...given)
        },
      })
      const readers = await Promise.all(
        Array.from({ length: 50 }, () => new Reader().open(served, `?task=${task.id}`)),
      )
      const late = served.call('GET', `/events?task=${task.id}`)
      const lines: string[] = []
      for (let round = 0; round < 20; round += 1) {
        const some = Array.from({ length: 40 }, (_, index) => `line ${round * 40 + index}`)
        lines.push(...some)
        await store.record(lease, some.map(output))
      }
      await end(served, lease)
      await until(() => (readers.every((reader) => reader.ended) ? true : null))
      for (const reader of readers) {
        expect(reader.events.filter((event) => event.type === 'output').map((event) => event.text)).toEqual(
          lines,
        )
      }
      // 50 readers, at least 20 rounds: each by itself, they would have asked more than 1,000 times.
      expect(count.asked).toBeLessThan(300)
      const text = await (await late).text()
      expect([...text.matchAll(/"text":"(line \d+)"/g)].map((found) => found[1])).toEqual(lines)
    } finally {
      await served.close()
    }
  })
})
