import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, runCli, startServer, until, type Place, type Server } from '../support/nightshift.ts'
import { processesWith } from '../support/processes.ts'
import { branchSha, listBranches, makeRepository } from '../support/repositories.ts'
import { endsOf, untilSaid } from '../support/worker.ts'

describe('what a person does to a queue, through API and command line', () => {
  let database: TestDatabase
  let place: Place
  let server: Server
  let repo: string

  beforeAll(async () => {
    database = await testDatabase()
    place = await makePlace(database.url)
    repo = (await makeRepository(join(place.folder, 'remote.git'))).path
    server = await startServer(place, ['--slots', '2'])
    place = { ...place, environment: { ...place.environment, NIGHTSHIFT_URL: server.url } }
  })

  afterAll(async () => {
    await server.process.stop()
    await place.remove()
    await database.close()
  })

  const slow = 'echo "here it is"; sleep 600 & sleep 600'
  const quick = 'echo "$NIGHTSHIFT_TASK" > "$NIGHTSHIFT_TASK.txt"'
  const submit = (body: Readonly<Record<string, unknown>> = {}) =>
    server.submit({ repo, prompt: 'Work', command: quick, ...body })
  const post = (path: string) => server.request('POST', `/api/v1/${path}`)

  const doors = [
    {
      name: 'the API',
      cancel: async (id: string) => {
        const answer = await post(`tasks/${id}/cancel`)
        expect(answer.status).toBe(200)
        return (await answer.json()) as Task
      },
    },
    {
      name: 'the command line',
      cancel: async (id: string) => {
        const end = await runCli(place, ['cancel', id, '--json'])
        expect([end.exitCode, end.stderr]).toEqual([0, ''])
        return (JSON.parse(end.stdout) as { tasks: Task[] }).tasks[0] as Task
      },
    },
  ]

  for (const { name, cancel } of doors) {
    it(`a queued, a held, a running and a done task are cancelled by ${name}`, async () => {
      const running = await submit({ command: slow })
      await untilSaid(database, running.id, 'here it is')
      const held = await submit({ needs: [running.id] })
      expect(held).toMatchObject({ state: 'held' })
      expect(held.reason).toContain(running.id)
      expect(await cancel(held.id)).toMatchObject({ state: 'done', outcome: 'cancelled' })

      await database.store.setLimits({ global: 1, perRepository: null, perAgent: null })
      const queued = await submit()
      expect(await cancel(queued.id)).toMatchObject({ state: 'done', outcome: 'cancelled', attempt: 0 })
      await database.store.setLimits({ global: null, perRepository: null, perAgent: null })

      await cancel(running.id)
      const ended = await server.untilDone(running.id, 20_000)
      expect(ended).toMatchObject({ outcome: 'cancelled', attempt: 1 })
      expect(ended.reason).not.toBeNull()
      expect(await branchSha(repo, ended.branch)).toBeNull()
      await until(
        async () => ((await processesWith(running.id)).length === 0 ? true : null),
        'its processes to end',
      )

      const done = await server.untilDone((await submit()).id)
      expect(done).toMatchObject({ outcome: 'pushed' })
      expect(await cancel(done.id)).toEqual(done)
      expect(await server.task(done.id)).toEqual(done)
      for (const { id } of [running, held, queued, done]) expect(await endsOf(database, id)).toBe(1)
    })
  }

  it('what is cancelled once its push has begun tells what the remote says', async () => {
    const accepted = await Promise.all(Array.from({ length: 6 }, () => submit()))
    await Promise.all(
      accepted.map(async ({ id }, index) => {
        await until(async () => {
          const events = await database.store.events(id, { after: 0, limit: 500 })
          return events.some((event) => event.step === 'push' || event.data['state'] === 'done') ? true : null
        }, `push ${index}`)
        expect((await post(`tasks/${id}/cancel`)).status).toBe(200)
      }),
    )
    for (const { id, branch } of accepted) {
      const task = await server.untilDone(id)
      const stands = await branchSha(repo, branch)
      expect([task.outcome, stands]).toEqual(
        task.outcome === 'pushed' ? ['pushed', task.evidence?.headSha] : ['cancelled', null],
      )
      expect(await endsOf(database, id)).toBe(1)
    }
  })

  it('a need that ends badly skips the whole chain behind it; one that ends well lets it go', async () => {
    const bad = await submit({ command: 'sleep 1; exit 3' })
    const second = await submit({ needs: [bad.id] })
    const third = await submit({ needs: [second.id] })
    const good = await submit({ command: `sleep 1; ${quick}` })
    const after = await submit({ needs: [good.id] })
    const both = await submit({ needs: [after.id, third.id] })
    expect(await server.untilDone(bad.id)).toMatchObject({ outcome: 'agent_failed' })
    for (const task of [second, third, both]) {
      const ended = await server.untilDone(task.id)
      expect(ended).toMatchObject({ outcome: 'skipped', attempt: 0 })
      expect(ended.reason).toContain(bad.id)
    }
    const followed = await server.untilDone(after.id)
    const needed = await server.task(good.id)
    expect(followed).toMatchObject({ outcome: 'pushed', evidence: { baseSha: needed.evidence?.headSha } })
    expect(Date.parse(followed.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(needed.endedAt ?? ''))
    const unknown = await server.request('POST', '/api/v1/tasks', {
      repo,
      prompt: 'x',
      command: 'true',
      needs: ['01JNOSUCHTASK'],
    })
    expect([unknown.status, JSON.stringify(await unknown.json())]).toEqual([
      422,
      expect.stringContaining('needs'),
    ])
  })

  it('a paused queue starts nothing, also what is submitted then; resumed, the highest priority goes first', async () => {
    expect((await runCli(place, ['pause'])).exitCode).toBe(0)
    await database.store.setLimits({ global: 1, perRepository: null, perAgent: null })
    const accepted: Task[] = []
    for (const priority of [0, -5, 7, 0, 100]) accepted.push(await submit({ priority }))
    for (const { id } of accepted) {
      expect(await server.task(id)).toMatchObject({ state: 'held', reason: 'the queue is paused' })
    }
    expect((await runCli(place, ['resume'])).exitCode).toBe(0)
    const ended = await Promise.all(accepted.map(({ id }) => server.untilDone(id)))
    await database.store.setLimits({ global: null, perRepository: null, perAgent: null })
    const order = ended.toSorted((a, b) => Date.parse(a.startedAt ?? '') - Date.parse(b.startedAt ?? ''))
    expect(order.map((task) => task.priority)).toEqual([100, 7, 0, 0, -5])
    const equal = order.filter((task) => task.priority === 0).map((task) => task.id)
    expect(equal).toEqual([accepted[0]?.id, accepted[3]?.id])
  })

  it('twenty equal requests at the same moment with one key make one task, and one branch', async () => {
    const remote = await makeRepository(join(place.folder, 'idempotent.git'))
    const body = { repo: remote.path, prompt: 'Once', command: quick }
    const headers = { 'idempotency-key': 'nightly-1' }
    const send = (more: object = {}) => server.request('POST', '/api/v1/tasks', { ...body, ...more }, headers)
    const answers = await Promise.all(Array.from({ length: 20 }, () => send()))
    expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 20 }, () => 202))
    const ids = new Set(await Promise.all(answers.map(async (answer) => ((await answer.json()) as Task).id)))
    expect(ids.size).toBe(1)
    expect(answers.filter((answer) => answer.headers.get('idempotency-replayed') === 'true')).toHaveLength(19)
    const [id = ''] = ids
    expect(await server.untilDone(id)).toMatchObject({ outcome: 'pushed' })
    expect(((await (await send()).json()) as Task).id).toBe(id)
    expect((await send({ prompt: 'Another' })).status).toBeGreaterThanOrEqual(400)
    expect(await listBranches(remote.path)).toHaveLength(2)
  })

  it('a done task is done again as a new one by retry; one that is not done is not', async () => {
    const first = await server.untilDone((await submit({ command: 'exit 1' })).id)
    expect(first.outcome).toBe('agent_failed')
    const end = await runCli(place, ['retry', first.id, '--json'])
    expect(end.exitCode).toBe(0)
    const again = (JSON.parse(end.stdout) as { tasks: Task[] }).tasks[0] as Task
    expect(again).toMatchObject({ retryOf: first.id, prompt: first.prompt })
    expect(again.id).not.toBe(first.id)
    expect(await server.untilDone(again.id)).toMatchObject({ outcome: 'agent_failed', attempt: 1 })
    expect(await server.task(first.id)).toEqual(first)

    const running = await submit({ command: slow })
    await untilSaid(database, running.id, 'here it is')
    const refused = await post(`tasks/${running.id}/retry`)
    expect([refused.status, refused.headers.get('content-type')]).toEqual([
      409,
      expect.stringContaining('application/problem+json'),
    ])
    expect((await post(`tasks/${running.id}/cancel`)).status).toBe(200)
    await server.untilDone(running.id)
    expect((await post('tasks/01JNOSUCHTASK/retry')).status).toBe(404)
  })
})
