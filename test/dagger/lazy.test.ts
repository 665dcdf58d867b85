import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Hub } from '../../src/dagger/hub.ts'
import { engineOf, image, noEngine } from './engine.ts'

const title = noEngine === null ? 'a container' : `a container (skipped: ${noEngine})`

describe.skipIf(noEngine !== null)(title, { timeout: 120_000 }, () => {
  it('that is described and never awaited does nothing, and nobody takes it for done: its keeper has not called', async () => {
    const token = 'a-token'
    const hub = await Hub.open(token)
    const engine = engineOf({ socketPath: hub.path, token })
    const { workbench } = await engine.open()
    const life = `lazy-${process.pid}-${Date.now()}`
    const call = hub.expect(life)
    const container = await workbench.keeper(await workbench.image(image, null), life)
    expect(await Promise.race([call.called, delay(2_000, 'nobody has called')])).toBe('nobody has called')

    const controller = new AbortController()
    const running = workbench.run(container, controller.signal)
    const awaited = await Promise.race([call.called.then(() => 'called'), running])
    expect(awaited).toBe('called')
    controller.abort()
    await expect(running).rejects.toThrow()
    await engine.close()
    await hub.close()
  })
})
