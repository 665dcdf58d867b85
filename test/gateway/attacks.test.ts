import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { createGzip, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GatewaySession } from '../../src/ports/gateway.ts'
import { until } from '../support/nightshift.ts'
import { ask, begin, dialects, makeGatewayPlace, type GatewayPlace } from './place.ts'

const [messages] = dialects
if (messages === undefined) throw new Error('there is no dialect')

/** Sends bytes as they are, and answers what came back until the connection ended or had been silent for a while. */
async function sendRaw(session: GatewaySession, bytes: string): Promise<string> {
  const socket = connect({ path: session.socket })
  socket.on('error', () => {})
  socket.write(bytes)
  let received = ''
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')))
  socket.setTimeout(1500, () => socket.destroy())
  await new Promise((resolve) => socket.once('close', resolve))
  return received
}

describe('an agent that attacks the gateway', () => {
  let place: GatewayPlace
  let session: GatewaySession

  beforeAll(async () => {
    place = await makeGatewayPlace()
    session = await place.open('anthropic')
  })
  afterAll(() => place.close())

  const post = (path: string, more = '', version = 'HTTP/1.1') => {
    const body = JSON.stringify(messages.asking(session, 'scene:says').body)
    const head = `POST ${path} ${version}\r\nhost: x\r\nx-api-key: ${session.key}\r\nconnection: close\r\n${more}`
    return `${head}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  }

  it.each([
    '//v1/messages',
    '/v1//messages',
    '/v1/./messages',
    '/x/../v1/messages',
    '/v1/%6dessages',
    '/v1/messages%2f..%2ffiles',
    '/v1/messages/',
    '/v1/messages/batches',
    '/v1/files',
    '/v1/messages?beta=true&x=1',
    '/v1/messages#x',
    '/v1/messages;x',
    '\\v1\\messages',
    '/V1/MESSAGES',
    '/v1/responses',
    '/v1beta/models/gemini-2.5-pro:generateContent',
    'http://api.anthropic.com/v1/messages',
    'http://127.0.0.1:1/v1/messages',
    '*',
  ])('gets nothing for the path %s', async (path) => {
    const before = place.api.requests.length
    expect(await sendRaw(session, post(path))).toMatch(/^HTTP\/1\.1 40[04]|^$/)
    expect(place.api.requests).toHaveLength(before)
  })

  it.each(['GET', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PATCH'])('gets nothing by %s', async (method) => {
    const before = place.api.requests.length
    const headers = { 'x-api-key': session.key }
    expect((await ask(session, { method, path: '/v1/messages', headers })).status).toBe(404)
    expect(place.api.requests).toHaveLength(before)
  })

  it('gets no tunnel and no other protocol', async () => {
    const connectTo = `CONNECT api.anthropic.com:443 HTTP/1.1\r\nhost: x\r\nx-api-key: ${session.key}\r\n\r\n`
    expect(await sendRaw(session, connectTo)).not.toContain(' 200 ')
    const upgrade = post('/v1/messages', 'upgrade: websocket\r\n').replace(
      'connection: close',
      'connection: upgrade',
    )
    expect(await sendRaw(session, upgrade)).not.toContain(' 101 ')
  })

  it.each([
    ['two lengths', 'content-length: 5\r\n'],
    ['a length and chunks', 'transfer-encoding: chunked\r\n'],
    ['chunks that are spelled strangely', 'transfer-encoding: xchunked\r\n'],
    ['a folded header', 'x-one: a\r\n b\r\n'],
    ['a header with a line break', 'x-one: a\rx-two: b\r\n'],
  ])('cannot smuggle a request with %s', async (_how, header) => {
    const before = place.api.requests.length
    const answer = await sendRaw(session, `${post('/v1/messages', header)}${post('/v1/files')}`)
    expect(answer).not.toContain('Nothing')
    expect(place.api.requests).toHaveLength(before)
  })

  it('cannot choose a host, a login, an account or a way for its headers', async () => {
    await ask(session, {
      ...messages.asking(session, 'scene:says'),
      headers: {
        'x-api-key': session.key,
        authorization: 'Bearer stolen',
        host: 'evil.example.org',
        'x-forwarded-host': 'evil.example.org',
        'accept-encoding': 'gzip',
        cookie: 'a=b',
        'anthropic-organization': 'other',
        'openai-organization': 'other',
        'x-real-ip': '10.0.0.1',
        te: 'trailers',
        'anthropic-beta': 'context-1m',
      },
    })
    const seen = place.api.turns.at(-1)
    expect(seen?.keys).toEqual([place.api.keys.anthropic])
    expect(seen?.headers).toMatchObject({
      host: place.api.url.replace('http://', ''),
      'accept-encoding': 'identity',
      'anthropic-beta': 'context-1m',
    })
    const names = ['authorization', 'cookie', 'x-forwarded-host', 'x-real-ip', 'te', 'anthropic-organization']
    for (const name of names) expect(seen?.headers).not.toHaveProperty(name)
  })

  it('gets nowhere with another task’s key, or none', async () => {
    const other = await place.open('anthropic')
    const before = place.api.requests.length
    for (const key of [other.key, place.api.keys.anthropic, '', 'x'.repeat(100_000)]) {
      const answer = await ask(session, {
        ...messages.asking(session, 'scene:says'),
        headers: { 'x-api-key': key },
      }).catch(() => ({ status: 431, text: '' }))
      expect(answer.status).toBeOneOf([401, 431])
      if (answer.status === 401)
        expect(JSON.parse(answer.text)).toHaveProperty('error.type', 'authentication_error')
    }
    expect(place.api.requests).toHaveLength(before)
  })

  it('is refused a body of 100 MB, told or not, before it is held in memory', async () => {
    const headers = { 'x-api-key': session.key }
    const before = process.memoryUsage().arrayBuffers
    const told = await ask(session, {
      path: '/v1/messages',
      headers,
      raw: Buffer.alloc(100_000_000, 32),
    }).catch((error: unknown) => ({ status: 413, text: String(error) }))
    expect(told.status).toBe(413)
    const chunked = `POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: ${session.key}\r\ntransfer-encoding: chunked\r\n\r\n`
    const chunk = `100000\r\n${' '.repeat(0x100000)}\r\n`
    expect(await sendRaw(session, chunked + chunk.repeat(60))).toContain('HTTP/1.1 413')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200_000_000)
    expect((await ask(session, messages.asking(session, 'scene:says'))).status).toBe(200)
  })

  it('is refused a gzip bomb, and understood when it packs honestly', async () => {
    const headers = { 'x-api-key': session.key, 'content-encoding': 'gzip' }
    const bomb = gzipSync(Buffer.alloc(200_000_000, 32))
    expect((await ask(session, { path: '/v1/messages', headers, raw: bomb })).status).toBe(413)
    const honest = gzipSync(JSON.stringify(messages.asking(session, 'scene:says').body))
    expect((await ask(session, { path: '/v1/messages', headers, raw: honest })).status).toBe(200)
    const strange = { ...headers, 'content-encoding': 'zstd, gzip' }
    expect((await ask(session, { path: '/v1/messages', headers: strange, raw: honest })).status).toBe(415)
    expect((await ask(session, { path: '/v1/messages', headers, raw: Buffer.from('no gzip') })).status).toBe(
      400,
    )
  })

  it.each(['[]', 'null', '7', '{', '{"model": {}}', '{"model":"a","messages":{"__proto__":[]},"tools":7}'])(
    'breaks nothing with the body %s',
    async (text) => {
      const headers = { 'x-api-key': session.key }
      const answer = await ask(session, { path: '/v1/messages', headers, raw: Buffer.from(text) })
      expect(answer.status).toBeOneOf([200, 400])
      expect((await ask(session, messages.asking(session, 'scene:says'))).status).toBe(200)
    },
  )

  it('has its doubled names read once', async () => {
    const text = JSON.stringify(messages.asking(session, 'scene:says').body)
    const doubled = text.replace('{"model":', '{"model":"claude-haiku-4-5","model":')
    await ask(session, {
      path: '/v1/messages',
      headers: { 'x-api-key': session.key },
      raw: Buffer.from(doubled),
    })
    expect(place.api.turns.at(-1)?.model).toBe('claude-sonnet-4-6')
  })

  it('can have only so many requests under way', async () => {
    const crowded = await place.open('anthropic')
    const leaving = new AbortController()
    const asked = Array.from({ length: 40 }, () =>
      begin(crowded, { ...messages.asking(crowded, 'scene:endless'), signal: leaving.signal }).then(
        (answer) => {
          answer.on('error', () => {})
          answer.resume()
          return answer.statusCode
        },
        () => null,
      ),
    )
    const statuses = await Promise.all(asked)
    expect(statuses.filter((status) => status === 503).length).toBeGreaterThan(0)
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(32)
    leaving.abort()
    await crowded.close()
  })
})

describe('a provider that misbehaves', () => {
  let place: GatewayPlace
  let provider: Server
  let answers: (asked: { key: string }, reply: ServerResponse) => void

  beforeAll(async () => {
    provider = createServer((asked, reply) => {
      asked.resume()
      asked.on('end', () => answers({ key: String(asked.headers['x-api-key']) }, reply))
    })
    await once(provider.listen(0, '127.0.0.1'), 'listening')
    const { port } = provider.address() as AddressInfo
    place = await makeGatewayPlace({ baseUrl: `http://127.0.0.1:${port}` })
  })
  afterAll(async () => {
    await place.close()
    provider.closeAllConnections()
    provider.close()
  })

  it('sends nobody elsewhere', async () => {
    answers = (_asked, reply) => reply.writeHead(307, { location: 'http://evil.example.org/' }).end()
    const session = await place.open('anthropic')
    const answer = await ask(session, messages.asking(session, 'scene:says'))
    expect(answer.status).toBe(502)
    expect(answer.headers).not.toHaveProperty('location')
  })

  it('gets no key to the agent, in whatever it answers', async () => {
    answers = ({ key }, reply) => {
      reply.writeHead(400, { 'x-key': key, 'set-cookie': key, 'content-type': 'application/json' })
      reply.end(JSON.stringify({ error: { message: `the key ${key} is strange` } }))
    }
    const session = await place.open('anthropic')
    const answer = await ask(session, messages.asking(session, 'scene:says'))
    expect(JSON.stringify(answer)).not.toContain(place.api.keys.anthropic)
    expect(answer.text).toContain('the key *** is strange')
    answers = ({ key }, reply) => reply.writeHead(401).end(`bad key ${key.slice(0, 20)}`)
    const refused = await ask(session, messages.asking(session, 'scene:says'))
    expect(refused.text).not.toContain(place.api.keys.anthropic.slice(0, 20))
    expect(session.stop()).toMatchObject({ kind: 'login_refused' })
    expect(place.logged.join('\n')).not.toContain(place.api.keys.anthropic)
  })

  it('is understood where it packs its answer though it was asked not to', async () => {
    const message = {
      type: 'message',
      model: 'claude-sonnet-4-6',
      usage: { input_tokens: 7, output_tokens: 3 },
    }
    answers = (_asked, reply) => {
      reply.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      reply.end(gzipSync(JSON.stringify(message)))
    }
    const session = await place.open('anthropic')
    const answer = await ask(session, messages.asking(session, 'x', { stream: false }))
    expect(JSON.parse(answer.text)).toEqual(message)
    expect(answer.headers).not.toHaveProperty('content-encoding')
    expect(session.usage()).toMatchObject({ inputTokens: 7, outputTokens: 3 })
  })

  it('fills no memory with a packed answer that never ends', async () => {
    const left = new AbortController()
    answers = (_asked, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream', 'content-encoding': 'gzip' })
      const zip = createGzip()
      zip.pipe(reply)
      const zeros = Buffer.alloc(1_000_000, 65)
      const more = () => {
        while (!left.signal.aborted && zip.write(zeros));
        if (left.signal.aborted) zip.destroy()
        else zip.once('drain', more)
      }
      more()
      reply.on('close', () => left.abort())
    }
    const session = await place.open('anthropic')
    const answer = await begin(session, messages.asking(session, 'x'))
    answer.on('error', () => {})
    let bytes = 0
    answer.on('data', (chunk: Buffer) => (bytes += chunk.length))
    await until(() => (bytes > 150_000_000 ? true : null))
    await session.close()
    expect(left.signal.aborted).toBe(true)
    // A line of that length was not kept; what went by counts by its size at least.
    expect(session.usage().requests).toBe(1)
  })

  it('stops a session by what it says in the midst of an answer', async () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded\u001b[31m' } }
    answers = (_asked, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' })
      reply.end(`event: error\ndata: ${JSON.stringify(error)}\n\n`)
    }
    const session = await place.open('anthropic')
    await until(async () => {
      await ask(session, messages.asking(session, 'x'))
      return session.stop()
    })
    expect(session.stop()).toMatchObject({ kind: 'quota', message: 'Overloaded [31m' })
    expect(session.stopping.aborted).toBe(true)
  })
})
