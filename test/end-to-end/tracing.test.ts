import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { steps } from '../../src/model/event.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { makePlace, runCli, startServer, until, type Place, type Server } from '../support/nightshift.ts'
import { makeRepository, type MadeRepository } from '../support/repositories.ts'

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { code?: number; message?: string }
  readonly attributes: readonly { key: string; value: { stringValue?: string; intValue?: number } }[]
}

/** A collector of OpenTelemetry, as far as these tests read it. */
interface Payload {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] }
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[]
  }[]
}

const token = 'the-token-of-a-test'

describe('traces, by the variables of OpenTelemetry', () => {
  let database: TestDatabase
  let place: Place
  let server: Server
  let remote: MadeRepository
  let collector: HttpServer
  const payloads: Payload[] = []
  const kinds: (string | undefined)[] = []

  beforeAll(async () => {
    collector = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        kinds.push(request.headers['content-type'])
        if (request.url !== '/v1/traces' || request.headers['x-key'] !== 'k') response.statusCode = 403
        else if (request.headers['content-type'] === 'application/json')
          payloads.push(JSON.parse(Buffer.concat(chunks).toString()) as Payload)
        response.end()
      })
    })
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
    database = await testDatabase()
    place = await makePlace(database.url, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-key=k',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=night',
      OTEL_BSP_SCHEDULE_DELAY: '100',
      SOME_TOKEN: token,
    })
    remote = await makeRepository(join(place.folder, 'remote.git'), {
      files: { '.nightshift.yaml': 'checks: [{ name: fails, run: "exit 3" }]\nfixRounds: 1\n' },
    })
    server = await startServer(place)
  })
  afterAll(async () => {
    await server.process.stop()
    collector.close()
    await place.remove()
    await database.close()
  })

  const facts = (span: { readonly attributes: Span['attributes'] } | undefined) =>
    Object.fromEntries(
      (span?.attributes ?? []).map(({ key, value }) => [key, value.stringValue ?? value.intValue]),
    )
  const spansOf = (taskId: string) =>
    payloads
      .flatMap(({ resourceSpans }) => resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      .filter((span) => facts(span)['nightshift.task'] === taskId)

  it('a task is a trace; its attempts and their steps are spans in it, with how they ended', async () => {
    const { id } = await server.submit({ repo: remote.path, prompt: 'Work', command: 'echo 1 > one.txt' })
    expect(await server.untilDone(id)).toMatchObject({ outcome: 'checks_failed' })
    const whole = await until(
      async () => spansOf(id).find(({ name }) => name === 'task') ?? null,
      'the span of the task',
    )
    const spans = spansOf(id)
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1)
    expect(whole.parentSpanId ?? '').toBe('')
    expect(facts(whole)).toMatchObject({
      'nightshift.repo': remote.path,
      'nightshift.agent': 'command',
      'nightshift.outcome': 'checks_failed',
    })
    const attempt = spans.find(({ name }) => name === 'attempt 1')
    expect(attempt?.parentSpanId).toBe(whole.spanId)
    expect(facts(attempt)).toMatchObject({ 'nightshift.attempt': 1, 'nightshift.end': 'settled' })
    expect(Number(whole.startTimeUnixNano)).toBeLessThanOrEqual(Number(attempt?.startTimeUnixNano))
    const ofSteps = spans.filter(({ parentSpanId }) => parentSpanId === attempt?.spanId)
    expect(ofSteps.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'prepare',
        'clone',
        'agent',
        'commit',
        'hand-over',
        'policy',
        'checks',
        'fix',
        'settle',
      ]),
    )
    expect(ofSteps.filter(({ name }) => !steps.some((step) => step === name))).toEqual([])
    expect(facts(payloads[0]?.resourceSpans[0]?.resource)).toMatchObject({
      'service.name': 'nightshift',
      'deployment.environment.name': 'night',
    })
  })

  it('a step that fails says why, without secrets', async () => {
    const asked = { repo: remote.path, base: token, prompt: 'Work', command: 'true' }
    const { id } = await server.submit(asked)
    await server.untilDone(id)
    const failed = await until(
      async () => spansOf(id).find(({ name }) => name === 'prepare') ?? null,
      'the span of the step',
    )
    expect(failed.status).toMatchObject({ code: 2, message: expect.stringContaining('***') })
    expect(JSON.stringify(failed.status)).not.toContain(token)
  })

  it('are sent in binary by default, and what cannot be done is said', async () => {
    const { OTEL_EXPORTER_OTLP_PROTOCOL: _, ...environment } = place.environment
    const args = ['run', 'Work', '--repo', remote.path, '--command', 'true', '--runtime', 'local']
    expect((await runCli({ ...place, environment }, args)).exitCode).toBe(0)
    expect(kinds).toContain('application/x-protobuf')
    const grpc = { ...place, environment: { ...environment, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' } }
    expect(await runCli(grpc, args)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining(
        'OTEL_EXPORTER_OTLP_PROTOCOL: must be http/protobuf or http/json, and not grpc',
      ),
    })
  })
})
