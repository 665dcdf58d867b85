import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { lookAtSchedules } from '../../src/core/schedules/keeper.ts'
import type { System } from '../../src/core/system.ts'
import type { ScheduleDefinition } from '../../src/model/schedule/schedule.ts'
import type { ScheduleStore } from '../../src/ports/schedule-store.ts'
import { openScheduleStore } from '../../src/postgres/schedule-store.ts'
import { serveOnTest, type Served } from '../api/served.ts'
import { ending, worker } from '../postgres/sample.ts'
import { quiet } from '../support/quiet.ts'
import { commitTo, makeRepository } from '../support/repositories.ts'

let served: Served
let system: System
let store: ScheduleStore
let folder: string

beforeAll(async () => {
  served = await serveOnTest()
  system = served.system
  store = openScheduleStore(served.database.database)
  folder = await mkdtemp(join(tmpdir(), 'nightshift-schedules-'))
})
afterAll(async () => {
  await served.close()
  await rm(folder, { recursive: true })
})
beforeEach(() =>
  served.database.query('truncate tasks, task_needs, runs, schedules, idempotency_keys cascade'),
)

const noon = new Date('2026-01-10T12:00:00Z')

function at(minutes: number, seconds = 0): Date {
  return new Date(noon.getTime() + minutes * 60_000 + seconds * 1000)
}

/** A schedule of every ten minutes, made at noon. */
async function add(changes: Partial<ScheduleDefinition> = {}): Promise<void> {
  await store.create({
    name: 'nightly',
    cron: '*/10 * * * *',
    timeZone: 'UTC',
    overlap: 'skip',
    missed: 'skip',
    window: null,
    maxCost: null,
    work: { kind: 'task', task: { repo: served.repo, prompt: 'Tidy up', command: 'true' } },
    ...changes,
  })
  await served.database.query(`update schedules set considered_until = '${noon.toISOString()}'`)
}

async function look(now: Date, schedules: ScheduleStore = store): Promise<void> {
  // What waits a while is due at once, as the test's clock is not the database's.
  await served.database.query("update firings set free_at = now() - interval '1 s'")
  await lookAtSchedules({
    schedules,
    context: system.runContext,
    clock: { sleep: () => Promise.resolve() },
    now: () => now,
    log: quiet,
  })
}

/** Its times so far, e.g. `12:10 started`. */
async function firings(): Promise<string[]> {
  const rows = await served.database.query('select fire_at, state, reason from firings order by fire_at')
  return rows.map((row) => {
    const time = (row['fire_at'] as Date).toISOString().slice(11, 16)
    return `${time} ${String(row['state'])}${row['reason'] === null ? '' : `: ${String(row['reason'])}`}`
  })
}

async function endAll(): Promise<void> {
  for (;;) {
    const claimed = await served.database.store.claim(worker())
    if (claimed === null) return
    await served.database.store.settle(claimed.lease, ending('no_changes'), null)
  }
}

describe('a schedule', () => {
  it('starts a run at its times, and at no other', async () => {
    await add()
    await look(at(9, 59))
    expect(await firings()).toEqual([])
    await look(at(10, 1))
    await look(at(10, 2))
    await look(at(19))
    expect(await firings()).toEqual(['12:10 started'])
    const { items } = await system.runContext.runs.list({ limit: 10 })
    expect(items).toMatchObject([{ schedule: 'nightly', title: 'nightly', tasks: 1, state: 'queued' }])
    expect(await served.database.store.list({ limit: 10 })).toMatchObject({
      items: [{ prompt: 'Tidy up', runId: items[0]?.id, batch: '1' }],
    })
    expect((await store.get('nightly'))?.last).toMatchObject({ state: 'started', runId: items[0]?.id })
  })

  it('starts each run once, however many processes look at the same moment, and look again', async () => {
    await add()
    const others = Array.from({ length: 8 }, () => openScheduleStore(served.database.database))
    await Promise.all(others.map((other) => look(at(10, 1), other)))
    await Promise.all(others.map((other) => look(at(10, 2), other)))
    expect(await firings()).toEqual(['12:10 started'])
    expect((await system.runContext.runs.list({ limit: 10 })).items).toHaveLength(1)
  })

  it('starts its run once also where a process died between starting it and saying so', async () => {
    await add()
    await look(at(10, 1))
    await served.database.query("update firings set state = 'pending', run_id = null")
    await look(at(10, 5))
    expect(await firings()).toEqual(['12:10 started'])
    const { items } = await system.runContext.runs.list({ limit: 10 })
    expect(items).toHaveLength(1)
    expect((await store.get('nightly'))?.last?.runId).toBe(items[0]?.id)
  })

  it('leaves out what was missed, or makes up for it once, as it says', async () => {
    await add()
    await look(at(35))
    expect(await firings()).toEqual(['12:30 skipped: missed: no process was there at the time'])
    await look(at(40))
    expect((await firings()).at(-1)).toBe('12:40 started')
    await store.remove('nightly')
    await endAll()
    await add({ missed: 'once' })
    await look(at(35))
    await look(at(36))
    expect(await firings()).toEqual(['12:30 started'])
  })

  it('leaves a time out while its last run is under way, or starts it afterwards, as it says', async () => {
    await add()
    await look(at(10))
    await look(at(20))
    expect(await firings()).toEqual([
      '12:10 started',
      expect.stringMatching(/^12:20 skipped: run \w+ was still/),
    ])
    await endAll()
    await look(at(30))
    expect((await firings()).at(-1)).toBe('12:30 started')
    await store.remove('nightly')
    await endAll()

    await add({ overlap: 'queue' })
    await look(at(10))
    await look(at(20))
    await look(at(21))
    expect(await firings()).toEqual([
      '12:10 started',
      expect.stringMatching(/^12:20 waiting: waits for the end/),
    ])
    await endAll()
    await look(at(22))
    expect(await firings()).toEqual(['12:10 started', '12:20 started'])
  })

  it('starts nothing while it is paused, and makes up for nothing afterwards', async () => {
    await add({ missed: 'once' })
    await store.setPaused('nightly', true)
    await look(at(15))
    expect(await firings()).toEqual([])
    await store.setPaused('nightly', false)
    const considered = (await store.get('nightly'))?.consideredUntil.getTime() ?? 0
    // The database's own time, at which it was resumed.
    expect(Math.abs(considered - Date.now())).toBeLessThan(600_000)
  })

  it('of a plan reads it each time, and says what is wrong with it', async () => {
    const { path } = await makeRepository(join(served.repo, '..', 'planned.git'), { files: { 'a.txt': 'a' } })
    await add({ work: { kind: 'plan', repo: path, planPath: 'plan.md', defaults: { command: 'true' } } })
    await look(at(10))
    expect(await firings()).toEqual([
      expect.stringMatching(/^12:10 failed: planPath: there is no file plan.md/),
    ])
    await commitTo(path, 'main', { 'plan.md': '## Batch 1: A\n### Task 1: X\n### Task 2: Y\n' })
    await look(at(20))
    expect((await firings()).at(-1)).toBe('12:20 started')
    const { items } = await system.runContext.runs.list({ limit: 10 })
    expect(items).toMatchObject([{ planPath: 'plan.md', tasks: 2, schedule: 'nightly' }])
  })

  it('gives all tasks of a night one cap', async () => {
    await add({ maxCost: 5 })
    await look(at(10))
    const [run] = (await system.runContext.runs.list({ limit: 1 })).items
    const claimed = await served.database.store.claim(worker())
    expect(claimed?.budgets).toEqual([{ scope: 'night', id: run?.id, capUsd: 5 }])
  })

  it('starts nothing new once its window has closed', async () => {
    await add({ window: '1h', maxCost: 5 })
    await look(at(10))
    const [run] = (await system.runContext.runs.list({ limit: 1 })).items
    expect(run).toMatchObject({ startsUntil: at(70).toISOString(), maxCost: 5 })
    await served.database.store.sweep()
    // By the database's clock, that was long ago.
    expect(await served.database.store.list({ limit: 1 })).toMatchObject({
      items: [{ outcome: 'cancelled', reason: 'the window of its night has closed: nothing new starts' }],
    })
    await served.database.query(
      "update schedules set definition = jsonb_set(definition, '{missed}', '\"once\"')",
    )
    await look(at(3 * 60 + 9, 59))
    expect((await firings()).at(-1)).toBe('15:00 started')
    await store.note('nightly', at(60), 'pending', null)
    await look(at(3 * 60 + 9, 59))
    expect(await firings()).toContain('13:00 skipped: its window closed before it could start')
  })
})
