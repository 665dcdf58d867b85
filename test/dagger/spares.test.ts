import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Engine } from '../../src/dagger/engine.ts'
import { Spares } from '../../src/dagger/spares.ts'
import type { StartedKeeper, WantedKeeper } from '../../src/dagger/start-keeper.ts'
import { sh } from '../runtime-contract/place.ts'
import { until } from '../support/nightshift.ts'
import { quiet } from '../support/quiet.ts'
import { makePlace, noEngine } from './engine.ts'

const codex = { package: 'codex', version: '1.0.0', bin: 'codex' }
const engine = (usable = true) => ({ usable }) as Engine
const wanted = (on: Engine, more: Partial<WantedKeeper> = {}): WantedKeeper => ({
  engine: on,
  image: 'image:1',
  program: null,
  ...more,
})

/** Stands for a container, which only an engine has. */
class Container {
  ended = false
  readonly #gone = Promise.withResolvers<void>()
  readonly keeper: StartedKeeper

  constructor() {
    const lose = () => {
      this.ended = true
      this.#gone.resolve()
    }
    const isLost = () => this.ended
    const link = {
      ended: this.#gone.promise,
      lose,
      get isLost() {
        return isLost()
      },
    }
    this.keeper = { link, kill: lose, call: { forget: () => {} } } as unknown as StartedKeeper
  }

  async die(): Promise<void> {
    this.keeper.kill()
    await vi.advanceTimersByTimeAsync(0)
  }
}

describe('containers that wait', () => {
  const containers: Container[] = []
  let spares: Spares
  let start: () => Promise<void>

  beforeEach(() => {
    vi.useFakeTimers()
    containers.length = 0
    start = () => Promise.resolve()
    spares = new Spares({
      most: 2,
      log: quiet,
      start: async (_wanted, signal) => {
        await start()
        signal.throwIfAborted()
        const container = new Container()
        containers.push(container)
        return container.keeper
      },
    })
  })
  afterEach(() => vi.useRealTimers())

  async function replace(times: number, asked: WantedKeeper): Promise<void> {
    for (let time = 0; time < times; time += 1) spares.replace(asked)
    await vi.advanceTimersByTimeAsync(1000)
  }

  it('are as many on each engine as may be, and each is taken once', async () => {
    const [one, other] = [engine(), engine()]
    await replace(5, wanted(one))
    await replace(1, wanted(other))
    expect(containers).toHaveLength(3)
    const taken = [spares.take(wanted(one)), spares.take(wanted(one)), spares.take(wanted(other))]
    expect(new Set(taken)).toEqual(new Set(containers.map(({ keeper }) => keeper)))
    expect([spares.take(wanted(one)), spares.take(wanted(other))]).toEqual([null, null])
    await replace(1, wanted(one))
    expect(containers).toHaveLength(4)
  })

  it('are taken for what they were started for, and nothing else', async () => {
    const on = engine()
    await replace(1, wanted(on))
    expect(spares.take(wanted(engine()))).toBeNull()
    expect(spares.take(wanted(on, { image: 'image:2' }))).toBeNull()
    expect(spares.take(wanted(on, { program: codex }))).toBeNull()
    expect(spares.take(wanted(on))).toBe(containers[0]?.keeper)
    await replace(1, wanted(on, { program: codex }))
    expect(spares.take(wanted(on, { program: { ...codex } }))).toBe(containers[1]?.keeper)
  })

  it('that nobody takes for a minute, or that die, make room for others', async () => {
    const on = engine()
    await replace(2, wanted(on))
    await containers[0]?.die()
    await replace(1, wanted(on))
    expect(containers).toHaveLength(3)
    await vi.advanceTimersByTimeAsync(61_000)
    expect(containers.map(({ ended }) => ended)).toEqual([true, true, true])
    expect(spares.take(wanted(on))).toBeNull()
  })

  it('that were taken are nobody’s to end any more', async () => {
    const on = engine()
    await replace(1, wanted(on))
    expect(spares.take(wanted(on))).not.toBeNull()
    await vi.advanceTimersByTimeAsync(61_000)
    spares.close()
    expect(containers[0]?.ended).toBe(false)
  })

  it('are not started where an engine cannot be used; what cannot be started harms nobody', async () => {
    await replace(1, wanted(engine(false)))
    start = () => Promise.reject(new Error('no room'))
    const on = engine()
    await replace(3, wanted(on))
    start = () => Promise.resolve()
    await replace(3, wanted(on))
    expect(containers).toHaveLength(2)
  })

  it('end with their process, those that are still starting too', async () => {
    const on = engine()
    await replace(1, wanted(on))
    const starting = Promise.withResolvers<void>()
    start = () => starting.promise
    await replace(1, wanted(on))
    spares.replace(wanted(on))
    spares.close()
    starting.resolve()
    await vi.advanceTimersByTimeAsync(61_000)
    expect(containers.map(({ ended }) => ended)).toEqual([true])
  })
})

describe.skipIf(noEngine !== null)(
  noEngine === null ? 'a container that waits' : `a container that waits (skipped: ${noEngine})`,
  { timeout: 120_000 },
  () => {
    it('is the one of the next sandbox, and holds nothing of another', async () => {
      let started = 0
      const newLife = () => {
        started += 1
        return randomUUID()
      }
      const place = await makePlace({ newLife, spares: 1 })
      const first = await place.open()
      await sh(first, 'echo mine >~/left; echo mine >/tmp/left')
      await until(() => (started === 2 ? true : null), 'a container to be started ahead')
      await first.close()
      // It has to have called before it can be taken.
      const next = await until(async () => {
        const before = started
        const sandbox = await place.open()
        if (started === before) return sandbox
        await sandbox.close()
        return null
      }, 'a sandbox in it')
      expect((await sh(next, 'cat ~/left /tmp/left; echo fine')).stdoutTail).toBe('fine\n')
      await next.close()
      await place.close()
    })
  },
)
