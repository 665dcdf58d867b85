import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Schedule } from '../../src/model/schedule/schedule.ts'
import type { Run } from '../../src/model/run.ts'
import { serveOnTest, type Served } from './served.ts'

let served: Served
beforeAll(async () => {
  served = await serveOnTest()
})
afterAll(() => served.close())

const nightly = () => ({
  name: 'nightly',
  cron: '30 2 * * 1-5',
  timeZone: 'Europe/Berlin',
  overlap: 'queue',
  missed: 'once',
  window: '6h',
  maxCost: 10,
  task: { repo: served.repo, prompt: 'Tidy up', command: 'true' },
})

async function call<T>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }> {
  const response = await served.call(method, `/api/v1${path}`, body === undefined ? {} : { body })
  const text = await response.text()
  return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as T }
}

describe('schedules over the API', () => {
  it('are added, listed with their next five times, paused, started and removed', async () => {
    const added = await call<Schedule>('POST', '/schedules', nightly())
    expect(added.status).toBe(201)
    expect(added.body).toMatchObject({ ...nightly(), paused: false, last: null, repo: null, planPath: null })
    expect(added.body.next).toHaveLength(5)
    for (const time of added.body.next) expect(time).toMatch(/T0[01]:30:00\.000Z$/)
    // The same once more is the same; another is refused.
    expect((await call('POST', '/schedules', nightly())).status).toBe(201)
    expect((await call('POST', '/schedules', { ...nightly(), cron: '0 3 * * *' })).status).toBe(409)
    const { body: list } = await call<{ items: Schedule[] }>('GET', '/schedules')
    expect(list.items.map((schedule) => schedule.name)).toEqual(['nightly'])
    expect((await call<Schedule>('POST', '/schedules/nightly/pause')).body).toMatchObject({
      paused: true,
      next: [],
    })
    expect((await call<Schedule>('POST', '/schedules/nightly/resume')).body.next).toHaveLength(5)
    const run = await call<Run>('POST', '/schedules/nightly/run')
    expect([run.status, run.body.schedule, run.body.tasks, run.body.maxCost]).toEqual([202, 'nightly', 1, 10])
    expect((await call<{ items: Run[] }>('GET', '/runs?schedule=nightly')).body.items).toHaveLength(1)
    expect((await call('DELETE', '/schedules/nightly')).status).toBe(204)
    expect((await call('DELETE', '/schedules/nightly')).status).toBe(404)
    expect((await call<Run>('GET', `/runs/${run.body.id}`)).status).toBe(200)
  })

  it('are removed by the query as well, and refused with the fields named', async () => {
    const plan = { name: 'by-plan', cron: '0 3 * * *', repo: served.repo, planPath: 'plan.md', timeout: '5m' }
    const added = await call<Schedule>('POST', '/schedules', plan)
    expect([added.status, added.body.defaults, added.body.planPath]).toEqual([
      201,
      { timeout: '5m' },
      'plan.md',
    ])
    expect((await call('DELETE', '/schedules?name=by-plan')).status).toBe(204)
    const fields = async (changes: Record<string, unknown>) => {
      const { status, body } = await call<{ errors: { field: string }[] }>('POST', '/schedules', {
        ...nightly(),
        ...changes,
      })
      return [status, body.errors.map((error) => error.field)]
    }
    expect(await fields({ cron: 'x', timeZone: 'y', window: 'z' })).toEqual([
      422,
      ['cron', 'timeZone', 'window'],
    ])
    expect(await fields({ task: { repo: served.repo, prompt: 'x', agent: 'claude' } })).toEqual([
      422,
      ['task.agent'],
    ])
    expect(await fields({ task: { repo: '/nowhere', prompt: '', command: 'true' } })).toEqual([
      422,
      ['task.prompt', 'task.repo'],
    ])
    expect(
      await fields({ task: { repo: served.repo, prompt: 'x', command: 'true', branch: 'one' } }),
    ).toEqual([422, ['task.branch']])
    expect(await fields({ cron: '0 12 * * *', window: '22:00-06:00' })).toEqual([422, ['window']])
    expect(await fields({ nightly: true })).toEqual([422, ['nightly']])
    expect((await call('POST', '/schedules/none/run')).status).toBe(404)
  })
})
