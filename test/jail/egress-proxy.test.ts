import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { createServer as createHttp, request, type IncomingMessage, type Server } from 'node:http'
import { connect, createServer as createTcp, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EgressProxy } from '../../src/jail/egress-proxy.ts'
import { OperatorRules } from '../../src/jail/egress-rules.ts'

describe('the way out of a sandbox', () => {
  let folder: string
  let web: Server
  let port: number
  let proxy: EgressProxy
  let socketPath: string
  const refusals: string[] = []
  const seen: IncomingMessage[] = []

  beforeAll(async () => {
    // A long path: sockets have room for 107 bytes only.
    folder = await mkdtemp(join(tmpdir(), `nightshift-egress-${'long'.repeat(20)}-`))
    web = createHttp((asked, answer) => {
      seen.push(asked)
      void text(asked).then((body) => answer.end(`${asked.method} ${asked.url} ${body}`))
    })
    await once(web.listen(0, '127.0.0.2'), 'listening')
    port = (web.address() as AddressInfo).port
    socketPath = join(folder, 'proxy.sock')
    proxy = await EgressProxy.open({
      socketPath,
      hosts: [`127.0.0.2:${port}`, `127.0.0.3:${port}`, 'localhost', `localhost:${port}`, 'nowhere.invalid'],
      operator: new OperatorRules(['*', `127.0.0.2:${port}`]),
      onRefused: (why) => refusals.push(why),
    })
  })

  afterAll(async () => {
    await proxy.close()
    web.close()
    await rm(folder, { recursive: true })
  })

  async function ask(url: string, body = '', headers: Record<string, string> = {}) {
    // The socket by a short path, as its folder's own name is too long for one.
    const asked = request({ socketPath: await short(), method: 'POST', path: url, headers })
    asked.end(body)
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    return { status: answer.statusCode, text: await text(answer) }
  }

  async function tunnel(authority: string) {
    const asked = request({ socketPath: await short(), method: 'CONNECT', path: authority })
    asked.end()
    return new Promise<{ status: number | undefined; said: string }>((resolve, reject) => {
      asked.once('error', reject)
      asked.once('connect', (answer, socket, head) => {
        if (answer.statusCode !== 200) {
          void text(socket).then((said) =>
            resolve({ status: answer.statusCode, said: head.toString() + said }),
          )
          return
        }
        socket.end('GET /through HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        void text(socket).then((said) => resolve({ status: 200, said }))
      })
    })
  }

  let link: string | null = null
  async function short(): Promise<string> {
    if (link === null) {
      const place = await mkdtemp(join(tmpdir(), 'ns-'))
      await symlink(socketPath, join(place, 's'))
      link = join(place, 's')
    }
    return link
  }

  afterAll(async () => {
    if (link !== null) await rm(join(link, '..'), { recursive: true })
  })

  it('carries plain http to an allowed host, without what is between client and proxy', async () => {
    const answer = await ask(`http://127.0.0.2:${port}/path?q=1`, 'hello', {
      'proxy-authorization': 'Basic c2VjcmV0',
      host: 'forged.example.org',
    })
    expect(answer).toEqual({ status: 200, text: 'POST /path?q=1 hello' })
    expect(seen.at(-1)?.headers['proxy-authorization']).toBeUndefined()
    expect(seen.at(-1)?.headers.host).toBe(`127.0.0.2:${port}`)
  })

  it('carries a tunnel to an allowed host', async () => {
    const answer = await tunnel(`127.0.0.2:${port}`)
    expect(answer.status).toBe(200)
    expect(answer.said).toContain('GET /through')
  })

  it.each([
    ['a host that was not named', () => `127.0.0.4:${port}`],
    ['a named host that is this machine', () => `127.0.0.3:${port}`],
    ['a name that stands for this machine', () => `localhost:${port}`],
    ['a number that stands for an address', () => `2130706437:${port}`],
    ['another port of an allowed host', () => `127.0.0.2:${port + 1}`],
    ['an IPv4 address dressed as IPv6', () => `[::ffff:127.0.0.2]:${port}`],
  ])('refuses %s, by tunnel and by http, with a sentence', async (_what, authority) => {
    for (const answer of [await tunnel(authority()), await ask(`http://${authority()}/`)]) {
      expect(answer.status).toBe(403)
      expect('said' in answer ? answer.said : answer.text).toMatch(
        /^nightshift: .*(--network|NIGHTSHIFT_NETWORK)/,
      )
    }
  })

  it('tells each refused host once', async () => {
    refusals.length = 0
    await tunnel(`once.example.org:${port}`)
    await tunnel(`once.example.org:${port}`)
    expect(refusals).toHaveLength(1)
    expect(refusals[0]).toContain(`once.example.org:${port}`)
  })

  it('answers what makes no sense, and what cannot be reached, without falling over', async () => {
    expect((await tunnel('no-port')).status).toBe(400)
    expect((await tunnel('a:0')).status).toBe(400)
    expect((await ask('/not-absolute')).status).toBe(400)
    expect((await ask('https://127.0.0.2/')).status).toBe(400)
    expect((await ask('http://nowhere.invalid/')).status).toBe(502)
    const broken = connect(await short())
    broken.end('\u0000\u0001 rubbish\r\n\r\n')
    await once(broken.resume(), 'close')
    expect((await ask(`http://127.0.0.2:${port}/`)).status).toBe(200)
  })

  it('ends every connection when it is closed', async () => {
    const hanging = createTcp(() => {})
    await once(hanging.listen(0, '127.0.0.2'), 'listening')
    const to = (hanging.address() as AddressInfo).port
    const path = join(link ?? '', '..', 'second.sock')
    const second = await EgressProxy.open({
      socketPath: path,
      hosts: [`127.0.0.2:${to}`],
      operator: new OperatorRules([`127.0.0.2:${to}`]),
      onRefused: () => {},
    })
    const client = connect(path)
    client.write(`CONNECT 127.0.0.2:${to} HTTP/1.1\r\n\r\n`)
    await once(client, 'data')
    await second.close()
    await once(client.resume(), 'close')
    hanging.close()
  })
})
