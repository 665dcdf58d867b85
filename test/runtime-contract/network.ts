import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Network } from '../../src/model/network.ts'
import type { Sandbox } from '../../src/ports/runtime.ts'
import { sh, titleOf, type RuntimePlace, type RuntimeUnderTest } from './place.ts'

// Not 127.0.0.1, which clients in a sandbox look for in the sandbox itself.
const address = '127.0.0.2'

/** `Command.network`: what a command may reach. */
export function networkContract(under: RuntimeUnderTest): void {
  describe.skipIf(under.skipped !== null)(titleOf(under, 'the network of a sandbox'), () => {
    let place: RuntimePlace
    let sandbox: Sandbox
    let web: Server
    let origin: string
    let allowed: Network

    beforeAll(async () => {
      web = createServer((_asked, reply) => reply.end('hello'))
      await once(web.listen(0, address), 'listening')
      origin = `${address}:${(web.address() as AddressInfo).port}`
      allowed = { kind: 'hosts', hosts: [origin] }
      place = await under.make({ network: [origin] })
      sandbox = await place.open()
    })

    afterAll(async () => {
      await sandbox.close()
      await place.close()
      web.closeAllConnections()
      web.close()
    })

    it('is none unless it is given', async () => {
      expect((await sh(sandbox, curl(origin))).exitCode).not.toBe(0)
      expect((await sh(sandbox, 'getent hosts example.org')).exitCode).not.toBe(0)
      expect((await sh(sandbox, 'tail -n +3 /proc/net/dev | grep -cv "lo:"')).stdoutTail).toBe('0\n')
    })

    it('lets plain clients reach what is named, from the first moment of a command', async () => {
      for (let number = 0; number < 3; number++) {
        const end = await sh(sandbox, '', { argv: ['curl', '-sS', `http://${origin}/`], network: allowed })
        expect(end, end.stderrTail).toMatchObject({ kind: 'exited', exitCode: 0, stdoutTail: 'hello' })
      }
    })

    it('refuses everything else, and notes it', async () => {
      const notes: string[] = []
      const end = await sh(sandbox, `${curl('127.0.0.3:1234')}; echo; ${curl(origin)}`, {
        network: allowed,
        onNote: (text) => notes.push(text),
      })
      expect(end.stdoutTail).toBe('403\n200')
      expect(notes).toEqual([expect.stringContaining('127.0.0.3:1234 is not among the hosts')])
    })

    it('reaches nothing that the operator does not allow, whatever the task names', async () => {
      const others = await under.make({ network: ['*'] })
      const other = await others.open()
      expect((await sh(other, curl(origin), { network: allowed })).stdoutTail).toBe('403')
      await other.close()
      await others.close()
    })

    it('passes on how the command ended, and stays out of its way', async () => {
      expect(await sh(sandbox, 'exit 7', { network: allowed })).toMatchObject({ exitCode: 7 })
      expect(await sh(sandbox, 'kill -TERM $$', { network: allowed })).toMatchObject({ exitCode: 143 })
      expect(await sh(sandbox, '', { argv: ['/no/such'], network: allowed })).toMatchObject({ exitCode: 127 })
      const end = await sh(sandbox, 'cat; echo err >&2', { network: allowed, stdin: Buffer.from('in') })
      expect(end).toMatchObject({ stdoutTail: 'in', stderrTail: 'err\n' })
      const twice = await Promise.all([1, 2].map(() => sh(sandbox, curl(origin), { network: allowed })))
      expect(twice.map((each) => each.stdoutTail)).toEqual(['200', '200'])
    })

    it('has more than a loopback when it is full', async () => {
      const end = await sh(sandbox, 'tail -n +3 /proc/net/dev | grep -cv "lo:"', {
        network: { kind: 'full' },
      })
      expect(Number(end.stdoutTail)).toBeGreaterThan(0)
    })
  })
}

function curl(url: string): string {
  return `curl -sS -o /dev/null -w '%{http_code}' --max-time 60 http://${url}/`
}
