import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noEvidence } from '../../src/model/evidence.ts'
import type { NewEvent } from '../../src/model/event.ts'
import { serveOnTest, type Served } from './served.ts'

const step = (type: 'step.started' | 'step.ended', data: Record<string, unknown> = {}): NewEvent => ({
  type,
  step: 'agent',
  text: '',
  data,
})

describe('the numbers', () => {
  let served: Served
  beforeAll(async () => {
    served = await serveOnTest()
    await served.call('GET', '/metrics')
    const task = await served.submit()
    const lease = await served.claim()
    await served.submit({ needs: [(await served.submit()).id] })
    await served.database.store.record(lease, [
      step('step.started'),
      step('step.ended', { durationMs: 2000, ok: true }),
    ])
    const agent = {
      name: 'x',
      version: null,
      exitCode: 0,
      turns: 1,
      inputTokens: 100,
      outputTokens: 20,
      costUsd: 0.5,
    }
    const evidence = { ...noEvidence(), agent }
    await served.database.store.settle(lease, { outcome: 'no_changes', reason: null, evidence }, null)
    expect(task.state).toBe('queued')
  })
  afterAll(() => served.close())

  const metrics = async () => {
    const response = await served.call('GET', '/metrics')
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ])
    return new Map(
      (await response.text())
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    )
  }

  it('for Prometheus are the states, outcomes, holds, money and durations, each counted once', async () => {
    await metrics()
    const numbers = await metrics()
    const expected = {
      'nightshift_tasks{state="done"}': 1,
      'nightshift_tasks{state="queued"}': 1,
      'nightshift_tasks{state="held"}': 1,
      'nightshift_tasks_ended{outcome="no_changes"}': 1,
      'nightshift_tasks_ended{outcome="error"}': 0,
      'nightshift_tasks_held{hold="needs"}': 1,
      nightshift_cost_usd_total: 0.5,
      'nightshift_tokens_total{direction="input"}': 100,
      nightshift_queue_paused: 0,
      nightshift_disk_free_bytes: 5_000_000_000,
      'nightshift_engine_up{engine="tcp://one:1234"}': 1,
      'nightshift_engine_slots{engine="tcp://one:1234",use="used"}': 3,
      'nightshift_engine_slots{engine="tcp://one:1234",use="free"}': 5,
      'nightshift_engine_disk_free_bytes{engine="tcp://one:1234"}': 7_000_000,
      'nightshift_step_seconds_count{step="agent",result="ok"}': 1,
      'nightshift_step_seconds_sum{step="agent",result="ok"}': 2,
      nightshift_pick_up_seconds_count: 1,
      nightshift_leases_expired_total: 0,
    }
    expect(Object.fromEntries(Object.keys(expected).map((name) => [name, numbers.get(name)]))).toEqual(
      expected,
    )
  })

  it('count a lease that ran out', async () => {
    await served.claim()
    await served.database.query(
      "update tasks set lease_until = now() - interval '1 s' where state = 'running'",
    )
    await served.database.store.sweep()
    expect((await metrics()).get('nightshift_leases_expired_total')).toBe(1)
  })

  it('for people and scripts are the same, as GET /stats', async () => {
    const stats = (await (await served.call('GET', '/api/v1/stats')).json()) as Record<string, unknown>
    expect(stats).toMatchObject({
      heldBy: { needs: 1 },
      spent: { costUsd: 0.5, inputTokens: 100, outputTokens: 20 },
      steps: { agent: { count: 1, p50Ms: 2000, p95Ms: 2000 } },
      pickUp: { count: 1 },
      diskFreeBytes: 5_000_000_000,
      engines: [{ engine: 'tcp://one:1234', slots: 8, tasks: 3, up: true }],
      paused: false,
    })
    expect(Number(stats['databaseBytes'])).toBeGreaterThan(1_000_000)
  })

  it('want a token where the API wants one; one that only reads will do', async () => {
    const { token } = await served.system.tokens.create('prometheus', 'reader')
    expect((await served.call('GET', '/metrics')).status).toBe(401)
    const headers = { authorization: `Bearer ${token}` }
    expect((await served.call('GET', '/metrics', { headers })).status).toBe(200)
  })
})
