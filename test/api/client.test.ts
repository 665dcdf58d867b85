import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAccess } from '../../src/api/access.ts'
import { createApi } from '../../src/api/app.ts'
import { listen, ListenError, type Listening } from '../../src/api/listen.ts'
import { createClient, type Client } from '../../src/client/client.ts'
import { ServerProblem, ServerUnreachable } from '../../src/client/failures.ts'
import type { TaskEvent } from '../../src/model/event.ts'
import { end, output, serveOnTest, type Served } from './served.ts'

describe('the client of a server', () => {
  let served: Served
  let closers: (() => Promise<void>)[]
  let stop: AbortController
  beforeEach(async () => {
    served = await serveOnTest()
    stop = new AbortController()
    closers = []
  })
  afterEach(async () => {
    stop.abort()
    for (const close of closers) await close()
    await served.close()
  })

  async function start(port = 0): Promise<Listening & { end: () => Promise<void> }> {
    let bound = port
    const access = createAccess({
      host: '127.0.0.1',
      port: () => bound,
      tokens: served.database.tokens,
      sessions: served.system.sessions,
      environmentToken: null,
    })
    const api = createApi({ system: served.system, access })
    const listening = await listen({ app: api.app, host: '127.0.0.1', port, onError: () => {} })
    bound = listening.port
    const endServer = async () => {
      await api.close()
      await listening.close(1000)
    }
    closers.push(endServer)
    return { ...listening, end: endServer }
  }

  const clientOf = (url: string, token: string | null = null): Client =>
    createClient({ url, token, signal: stop.signal })

  it('submits, lists, shows, cancels and repeats over a real socket', async () => {
    const { url } = await start()
    const client = clientOf(url)
    const task = await client.submit({ repo: served.repo, prompt: 'Say hello', command: 'true' })
    expect((await client.list({ state: 'queued' })).items.map((each) => each.id)).toEqual([task.id])
    expect(await client.get(task.id.slice(-8).toLowerCase())).toEqual(task)
    expect((await client.cancel(task.id)).outcome).toBe('cancelled')
    expect((await client.retry(task.id)).retryOf).toBe(task.id)
    expect((await client.pause()).paused).toBe(true)
    expect((await client.resume()).paused).toBe(false)
    const limits = { global: 2, perRepository: null, perAgent: null }
    expect(await client.setLimits(limits)).toEqual(limits)
    expect((await client.stats()).limits).toEqual(limits)
  })

  it('goes on after the last event where the server went away in the middle', async () => {
    const first = await start()
    const client = clientOf(first.url)
    const task = await served.submit()
    const lease = await served.claim()
    const half = Promise.withResolvers<void>()
    const seen: TaskEvent[] = []
    const reading = (async () => {
      for await (const event of client.events(task.id)) {
        seen.push(event)
        if (event.text === 'before') half.resolve()
      }
    })()
    await served.database.store.record(lease, [output('before')])
    await half.promise
    await first.end()
    await served.database.store.record(lease, [output('while it was away')])
    await start(first.port)
    await served.database.store.record(lease, [output('after')])
    await end(served, lease)
    await reading
    expect(seen).toEqual(await served.database.store.events(task.id, { after: 0, limit: 100 }))
    expect(seen.map((event) => event.text)).toEqual(
      expect.arrayContaining(['before', 'while it was away', 'after']),
    )
  })

  it('reads all events that there are, page by page', async () => {
    const { url } = await start()
    const task = await served.submit()
    const lease = await served.claim()
    const lines = Array.from({ length: 450 }, (_, index) => `line ${index}`)
    await served.database.store.record(lease, lines.map(output))
    const events = await collect(clientOf(url).eventsSoFar(task.id))
    expect(events.filter((event) => event.type === 'output').map((event) => event.text)).toEqual(lines)
  })

  it('creates a task once, though the answer to its request gets lost', async () => {
    const { port } = await start()
    // A proxy that passes the request on, and cuts the connection instead of answering, twice.
    let lost = 0
    const proxy = await proxyTo(port, () => (lost += 1) <= 2)
    closers.push(() => new Promise((resolve) => proxy.server.close(() => resolve())))
    const task = await clientOf(proxy.url).submit({ repo: served.repo, prompt: 'Once', command: 'true' })
    expect(lost).toBe(3)
    expect((await served.database.store.list({ limit: 10 })).items.map((each) => each.id)).toEqual([task.id])
  })

  it('says why the server refused, by field', async () => {
    const { url } = await start()
    const refused = await clientOf(url)
      .submit({ repo: served.repo, prompt: '', command: 'true' })
      .catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(ServerProblem)
    expect(refused).toMatchObject({ status: 422, errors: [{ field: 'prompt' }] })
    await served.database.tokens.create('test')
    await expect(clientOf(url).stats()).rejects.toThrow('set NIGHTSHIFT_TOKEN')
    await expect(clientOf(url, 'wrong').stats()).rejects.toMatchObject({ status: 401 })
  })

  it('says where it looked when nobody answers', async () => {
    const { url, end: endServer } = await start()
    await endServer()
    const failure = await clientOf(url)
      .stats()
      .catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ServerUnreachable)
    expect(String(failure)).toContain(
      `${url} (ECONNREFUSED); start one with nightshift serve, or set NIGHTSHIFT_URL`,
    )
  })

  it('does not take another program for a server', async () => {
    const other = createServer((_request, response) => response.end('<html>hello</html>'))
    await once(other.listen(0, '127.0.0.1'), 'listening')
    closers.push(() => new Promise((resolve) => other.close(() => resolve())))
    await expect(clientOf(`http://127.0.0.1:${portOf(other)}`).stats()).rejects.toThrow(
      'is no Nightshift server',
    )
  })

  it('ends at once when the person stops', async () => {
    const { url } = await start()
    const task = await served.submit()
    const reading = collect(clientOf(url).events(task.id))
    stop.abort(new Error('stopped'))
    await expect(reading).rejects.toThrow('stopped')
  })

  it('cannot bind a port that is in use', async () => {
    const { port } = await start()
    const failure = await start(port).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(ListenError)
    expect(failure).toMatchObject({ code: 'EADDRINUSE', port })
  })

  it('survives requests that are no HTTP, and answers the next one', async () => {
    const { port, url } = await start()
    for (const nonsense of [
      'nonsense\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
      'GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n',
      'GET /%00%ff HTTP/1.1\r\nHost: a b\r\n\r\n',
      'POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
    ]) {
      const socket = connect(port, '127.0.0.1')
      socket.end(nonsense)
      let answer = ''
      for await (const chunk of socket) answer += String(chunk)
      expect(answer.split('\r\n')[0], nonsense).toBe('HTTP/1.1 400 Bad Request')
    }
    expect((await clientOf(url).stats()).paused).toBe(false)
  })
})

async function collect(events: AsyncIterable<TaskEvent>): Promise<TaskEvent[]> {
  const all: TaskEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function proxyTo(port: number, cut: () => boolean): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array))
      const answer = await fetch(`http://127.0.0.1:${port}${request.url}`, {
        method: request.method ?? 'GET',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': String(request.headers['idempotency-key']),
        },
        body: Buffer.concat(chunks),
      })
      const text = await answer.text()
      if (cut()) response.destroy()
      else response.writeHead(answer.status).end(text)
    })()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, url: `http://127.0.0.1:${portOf(server)}` }
}
