import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { explainFailure } from '../../src/jail/probe.ts'
import { makeWorkplace, noSandbox, sh, title } from './workplace.ts'

describe('what keeps sandboxes from working', () => {
  it.skipIf(noSandbox)(
    title('is nothing on a machine that can make them; trying leaves nothing'),
    async () => {
      const place = await makeWorkplace()
      expect(await place.runtime.problems()).toEqual([])
      expect(await place.runtime.problems()).toBe(await place.runtime.problems())
      expect(await place.left()).toEqual([])
      await place.close()
    },
  )

  it.skipIf(!noSandbox)('is told with what to do about it', async () => {
    const place = await makeWorkplace()
    const problems = await place.runtime.problems()
    expect(problems.length).toBeGreaterThan(0)
    for (const problem of problems) expect(problem.todo).not.toBe('')
    await expect(place.open().then((sandbox) => sh(sandbox, 'true'))).rejects.toThrow()
    await place.close()
  })

  it('is a home that cannot be used, and then no sandbox is opened', async () => {
    const place = await makeWorkplace()
    await mkdir(place.home, { recursive: true })
    await chmod(place.home, 0o700)
    const broken = await makeWorkplace({ home: join(place.repository, 'HEAD') })
    expect(await broken.runtime.problems()).toHaveLength(1)
    await expect(broken.open()).rejects.toThrow(/could not|cannot|ENOTDIR/)
    await broken.close()
    await place.close()
  })

  it.skipIf(noSandbox)('names what bubblewrap said where nothing better is known', () => {
    expect(explainFailure('bwrap: setting up uid map: Permission denied').what).toContain('uid map')
  })
})
