import { once } from 'node:events'
import { createServer as createHttp, type Server } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Network } from '../../src/model/network.ts'
import type { Sandbox } from '../../src/ports/runtime.ts'
import { freePort } from '../../src/process/free-port.ts'
import { sh, titleOf, type RuntimePlace, type RuntimeUnderTest } from './place.ts'

const networks: Network[] = [{ kind: 'none' }, { kind: 'hosts', hosts: ['example.org'] }, { kind: 'full' }]

/** `Command.relays`: the ways out of a sandbox that are no network. */
export function relaysContract(under: RuntimeUnderTest): void {
  describe.skipIf(under.skipped !== null)(titleOf(under, 'a relay out of a sandbox'), () => {
    let place: RuntimePlace
    let sandbox: Sandbox
    let server: Server
    let socket: string

    beforeAll(async () => {
      place = await under.make()
      socket = join(place.folder, 'server.sock')
      server = createHttp((asked, reply) => {
        void (async () => {
          let bytes = 0
          for await (const chunk of asked) bytes += (chunk as Buffer).length
          reply.end(`${asked.url} ${bytes}`)
        })()
      })
      await once(server.listen({ path: socket, writableAll: true }), 'listening')
      sandbox = await place.open()
    })

    afterAll(async () => {
      await sandbox.close()
      server.closeAllConnections()
      server.close()
      await place.close()
    })

    it.each(networks)('leads from a port to a socket of the machine, with network $kind', async (network) => {
      const [port, other] = [await freePort(), await freePort()]
      const relays = [port, other].map((each) => ({ port: each, socket }))
      const script = `curl -sS http://127.0.0.1:${port}/one; head -c 3000000 /dev/zero | curl -sS --data-binary @- http://localhost:${other}/two; exit 3`
      const end = await sh(sandbox, script, { network, relays })
      expect(end, end.stderrTail).toMatchObject({ exitCode: 3, stdoutTail: '/one 0/two 3000000' })
    })

    it.each(networks)(
      'is there for the command that it was given to alone, with network $kind',
      async (network) => {
        const port = await freePort()
        const ask = `curl -sS -o /dev/null http://127.0.0.1:${port}/; test $? -eq 7`
        expect(await sh(sandbox, ask, { network, relays: [{ port, socket }] })).toMatchObject({ exitCode: 1 })
        expect(await sh(sandbox, ask, { network })).toMatchObject({ exitCode: 0 })
      },
    )
  })
}
