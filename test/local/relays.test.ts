import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { RuntimeFailure, type Sandbox } from '../../src/ports/runtime.ts'
import { makeWorkplace, noSandbox, sh, title, type Workplace } from './workplace.ts'

describe.skipIf(noSandbox)(title('a relay of a sandbox on the machine’s own network'), () => {
  let place: Workplace
  let sandbox: Sandbox

  beforeAll(async () => {
    place = await makeWorkplace()
    sandbox = await place.open()
  })

  afterAll(async () => {
    await sandbox.close()
    await place.close()
  })

  it('is a failure of the machine where its port of the machine is taken', async () => {
    const taken = createServer()
    await once(taken.listen(0, '127.0.0.1'), 'listening')
    const { port } = taken.address() as AddressInfo
    const relays = [{ port, socket: join(place.folder, 'server.sock') }]
    const asked = sh(sandbox, 'true', { network: { kind: 'full' }, relays })
    await expect(asked).rejects.toThrow(RuntimeFailure)
    taken.close()
  })
})
