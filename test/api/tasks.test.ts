import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { taskSchema, type Task } from '../../src/model/task.ts'
import { end, serveOnTest, type Served } from './served.ts'

const read = async (response: Response) => taskSchema.parse(await response.json())

describe('tasks over the API', () => {
  let served: Served
  beforeAll(async () => {
    served = await serveOnTest()
  })
  afterAll(() => served.close())

  it('are queued with 202 and found at their Location, by id, by its end, in either case', async () => {
    const body = {
      repo: served.repo,
      prompt: 'Say hello',
      command: 'true',
      timeout: '5m',
      paths: ['docs/**'],
    }
    const response = await served.call('POST', '/api/v1/tasks', { body })
    const task = await read(response)
    expect([response.status, response.headers.get('location')]).toEqual([202, `/api/v1/tasks/${task.id}`])
    expect(task).toMatchObject({ state: 'queued', agent: 'command', paths: ['docs/**'], repo: served.repo })
    for (const id of [task.id, task.id.slice(-8), task.id.slice(-8).toLowerCase(), task.id.toLowerCase()]) {
      expect((await read(await served.call('GET', `/api/v1/tasks/${id}`))).id).toBe(task.id)
    }
  })

  it('are the same by POST /agents/run', async () => {
    const words = {
      task: 'Say hello',
      repo: served.repo,
      execution_mode: 'local',
      command: 'true',
      priority: 3,
    }
    const response = await served.call('POST', '/api/v1/agents/run', { body: words })
    expect(response.status).toBe(202)
    expect(await read(response)).toMatchObject({
      prompt: 'Say hello',
      runtime: 'local',
      priority: 3,
      agent: 'command',
    })
  })

  it('are created once for one idempotency key, and never for another request', async () => {
    const headers = { 'idempotency-key': 'key-1' }
    const body = { repo: served.repo, prompt: 'Once', command: 'true' }
    const post = (request: object) => served.call('POST', '/api/v1/tasks', { body: request, headers })
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(body)))
    const ids = new Set<string>()
    for (const answer of answers) ids.add((await read(answer)).id)
    expect(ids.size).toBe(1)
    expect(answers.filter((answer) => answer.headers.get('idempotency-replayed') === 'true').length).toBe(4)
    const other = await post({ ...body, prompt: 'Twice' })
    expect([other.status, await other.json()]).toMatchObject([422, { type: '/docs#idempotency-key-reused' }])
  })

  it('are listed newest first, page by page, without gaps or doubles', async () => {
    const made: string[] = []
    for (let index = 0; index < 5; index += 1)
      made.push((await served.submit({ prompt: `page ${index}` })).id)
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const response = await served.call('GET', `/api/v1/tasks?limit=2${query}`)
      const page = (await response.json()) as { items: Task[]; nextCursor: string | null }
      seen.push(...page.items.map((task) => task.id))
      cursor = page.nextCursor
    }
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.slice(0, 5)).toEqual(made.toReversed())
    const filtered = await served.call(
      'GET',
      `/api/v1/tasks?state=done&repo=${encodeURIComponent(served.repo)}`,
    )
    expect(await filtered.json()).toEqual({ items: [], nextCursor: null })
  })

  it('are cancelled, and done again as tasks of their own', async () => {
    const task = await served.submit({ prompt: 'Cancel me' })
    const early = await served.call('POST', `/api/v1/tasks/${task.id}/retry`)
    expect([early.status, await early.json()]).toMatchObject([409, { type: '/docs#conflict' }])
    const cancelled = await served.call('POST', `/api/v1/tasks/${task.id}/cancel`)
    expect([cancelled.status, await read(cancelled)]).toMatchObject([
      200,
      { state: 'done', outcome: 'cancelled' },
    ])
    expect((await served.call('POST', `/api/v1/tasks/${task.id}/cancel`)).status).toBe(200)

    const headers = { 'idempotency-key': 'again' }
    const again = await served.call('POST', `/api/v1/tasks/${task.id}/retry`, { headers })
    const fresh = await read(again)
    expect([again.status, again.headers.get('location')]).toEqual([202, `/api/v1/tasks/${fresh.id}`])
    expect(fresh).toMatchObject({ state: 'queued', retryOf: task.id, prompt: 'Cancel me' })
    const replayed = await served.call('POST', `/api/v1/tasks/${task.id}/retry`, { headers })
    expect([replayed.headers.get('idempotency-replayed'), (await read(replayed)).id]).toEqual([
      'true',
      fresh.id,
    ])
    expect((await read(await served.call('GET', `/api/v1/tasks/${task.id}`))).outcome).toBe('cancelled')
  })

  it('have a diff once there is one', async () => {
    await served.database.query('truncate tasks cascade')
    const task = await served.submit()
    expect((await served.call('GET', `/api/v1/tasks/${task.id}/diff`)).status).toBe(404)
    await end(served, await served.claim(), 'no_changes', 'diff --git a/x b/x\n')
    const response = await served.call('GET', `/api/v1/tasks/${task.id}/diff`)
    expect([response.headers.get('content-type'), await response.text()]).toEqual([
      'text/x-diff',
      'diff --git a/x b/x\n',
    ])
  })

  it('stop being started by pause, start again by resume, and are limited by PUT /limits', async () => {
    const paused = await (await served.call('POST', '/api/v1/pause')).json()
    expect(paused).toMatchObject({ paused: true })
    expect(await (await served.call('GET', '/api/v1/stats')).json()).toMatchObject({ paused: true })
    expect(await (await served.call('POST', '/api/v1/resume')).json()).toMatchObject({ paused: false })
    const limits = { global: 3, perRepository: null, perAgent: 2 }
    expect(await (await served.call('PUT', '/api/v1/limits', { body: limits })).json()).toEqual(limits)
    expect(await (await served.call('GET', '/api/v1/limits')).json()).toEqual(limits)
  })
})
