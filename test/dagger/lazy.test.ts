import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/dagger/engine.ts'
import { Hub } from '../../src/dagger/hub.ts'
import { launcherFolder } from '../../src/dagger/launcher-files.ts'
import { quiet } from '../support/quiet.ts'
import { cliEnvironment, daggerCli, engineHost, image, noEngine } from './engine.ts'

const title = noEngine === null ? 'a container' : `a container (skipped: ${noEngine})`

describe.skipIf(noEngine !== null)(title, { timeout: 120_000 }, () => {
  it('that is described and never awaited does nothing, and nobody takes it for done: its keeper has not called', async () => {
    const token = 'a-token'
    const hub = await Hub.open(token)
    const home = join(tmpdir(), 'nightshift-dagger-launcher')
    const engine = new Engine(
      { address: engineHost, slots: 1 },
      {
        cli: daggerCli,
        env: cliEnvironment,
        session: null,
        workbench: async () => ({
          launcher: { folder: await launcherFolder(home) },
          socketPath: hub.path,
          token,
        }),
        minFreeBytes: 0,
        log: quiet,
      },
    )
    const { workbench } = await engine.open()
    const life = `lazy-${process.pid}-${Date.now()}`
    const call = hub.expect(life)
    const keeping = { taskId: `LAZY${process.pid}`, attempt: 1, life }
    const container = await workbench.keeper(await workbench.image(image), keeping)
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
