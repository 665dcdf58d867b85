import { createHmac, randomUUID } from 'node:crypto'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Task } from '../../src/model/task.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import {
  makePlace,
  runCli,
  startServer,
  tasksOf,
  until,
  type Place,
  type Server,
} from '../support/nightshift.ts'
import { makeRepository } from '../support/repositories.ts'
import { forgePlace } from './forge-place.ts'

const secret = 'the secret of the webhook'
const sign = (body: string) => `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`

describe('webhooks of GitHub', () => {
  const here = forgePlace({ NIGHTSHIFT_WEBHOOK_SECRET: secret })

  async function send(payload: unknown, headers: Readonly<Record<string, string>> = {}) {
    const body = JSON.stringify(payload)
    const response = await fetch(`${here.server.url}/webhooks/github`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-event': 'pull_request',
        'x-github-delivery': randomUUID(),
        'x-hub-signature-256': sign(body),
        ...headers,
      },
      body,
    })
    return { status: response.status, body: (await response.json()) as { woken?: number } }
  }

  it('wake what waits for the pull request, or for checks on its head, and nothing else; each delivery once', async () => {
    const repository = await here.repository()
    repository.protection.set('main', { checks: ['build'], approvals: 0, push: 'allowed' })
    const task = await here.submit(repository, { merge: 'checks' })
    const held = () =>
      until(
        async () => ((await here.server.task(task.id)).state === 'held' ? true : null),
        'the task to wait',
      )
    await until(async () => (repository.pulls.length > 0 ? true : null))
    const html_url = `${here.standIn.url}/Team/${repository.name}`
    const about = { repository: { html_url }, pull_request: { number: 1 } }
    expect(await send({ repository: { html_url }, pull_request: { number: 2 } })).toMatchObject({
      body: { woken: 0 },
    })
    expect(await send({ ...about, repository: { html_url: 'https://github.com/team/other' } })).toMatchObject(
      {
        body: { woken: 0 },
      },
    )
    const delivery = await until(async () => {
      await held()
      const id = randomUUID()
      const answer = await send(about, { 'x-github-delivery': id })
      return answer.body.woken === 1 ? id : null
    })
    await held()
    expect(await send(about, { 'x-github-delivery': delivery })).toEqual({ status: 202, body: { woken: 0 } })
    const sha = repository.pull(1).lastHead
    repository.checkRuns.push({ sha, name: 'build', status: 'completed', conclusion: 'success' })
    await until(async () => {
      const ended = (await here.server.task(task.id)).state === 'done'
      return ended ||
        (await send({ repository: { html_url }, check_run: { head_sha: sha } })).body.woken === 1
        ? true
        : null
    })
    expect(await here.server.untilDone(task.id)).toMatchObject({ outcome: 'merged' })
  })

  it('are not believed without their signature', async () => {
    const payload = { zen: 'Design for failure.' }
    expect(await send(payload)).toEqual({ status: 202, body: { woken: 0 } })
    for (const signature of ['', 'sha256=00', sign('another body')]) {
      expect((await send(payload, { 'x-hub-signature-256': signature })).status).toBe(401)
    }
    const text = 'payload=%7B%7D'
    const form = { 'content-type': 'application/x-www-form-urlencoded', 'x-hub-signature-256': sign(text) }
    const post = (body: string, headers: Readonly<Record<string, string>>) =>
      fetch(`${here.server.url}/webhooks/github`, { method: 'POST', headers, body })
    const asForm = await post(text, form)
    expect(asForm.status).toBe(400)
    expect(await asForm.text()).toContain('application/json')
    // Without any signature, or with the older one alone; and what is larger than GitHub sends.
    expect((await post('{}', {})).status).toBe(401)
    expect((await post('{}', { 'x-hub-signature': 'sha1=00' })).status).toBe(401)
    expect((await post(' '.repeat(26 * 1024 * 1024), { 'x-hub-signature-256': '' })).status).toBe(413)
    for (const odd of [
      null,
      [],
      7,
      { repository: null },
      { repository: { html_url: 'javascript:1' }, number: 1 },
    ])
      expect(await send(odd, { 'x-github-event': 'never_heard_of' })).toEqual({
        status: 202,
        body: { woken: 0 },
      })
    // By whatever name the server is reached: a tunnel has one of its own.
    expect((await send(payload, { host: 'hooks.example.org' })).status).toBe(202)
  })
})

describe('the end of a task is told', () => {
  let database: TestDatabase
  let place: Place
  let server: Server
  let listener: HttpServer
  const heard: { task: Task; signature: string; body: string; delivery: string }[] = []
  let refuse = 0

  beforeAll(async () => {
    listener = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8')
        const { task } = JSON.parse(body) as { task: Task }
        const signature = String(request.headers['x-nightshift-signature-256'])
        heard.push({ task, signature, body, delivery: String(request.headers['x-nightshift-delivery']) })
        response.writeHead(refuse-- > 0 ? 503 : 204).end()
      })
    })
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    database = await testDatabase()
    place = await makePlace(database.url, {
      NIGHTSHIFT_NOTIFY_URL: `http://127.0.0.1:${(listener.address() as AddressInfo).port}/ended`,
      NIGHTSHIFT_NOTIFY_SECRET: secret,
    })
    server = await startServer(place)
  })

  afterAll(async () => {
    await server.process.stop()
    listener.close()
    await place.remove()
    await database.close()
  })

  it('signed, however it ended, and again until somebody takes it', async () => {
    const { path } = await makeRepository(`${place.folder}/one.git`)
    refuse = 1
    const done = await server.submit({ repo: path, prompt: 'One', command: 'echo 1 > one.txt' })
    const queued = await server.submit({ repo: path, prompt: 'Two', command: 'true', needs: [done.id] })
    await server.untilDone(done.id)
    await server.untilDone(queued.id)
    const of = (id: string) => heard.filter((one) => one.delivery === id)
    await until(() => (of(queued.id).length + of(done.id).length >= 3 ? true : null), 'all to be told')
    for (const one of heard) expect(one.signature).toBe(sign(one.body))
    const outcomes = new Set(heard.map((one) => `${one.delivery} ${one.task.outcome}`))
    expect(outcomes).toEqual(new Set([`${done.id} pushed`, `${queued.id} no_changes`]))
    expect(await database.query('select task_id from notices')).toEqual([])
  })

  it('by run, too, before it ends', async () => {
    const { path } = await makeRepository(`${place.folder}/two.git`)
    await server.process.stop()
    const end = await runCli(place, ['run', 'x', '--repo', path, '--command', 'true', '--json'])
    const [task] = tasksOf(end)
    expect(heard.some((one) => one.delivery === task?.id)).toBe(true)
    server = await startServer(place)
  })
})
