import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { problemKinds } from '../../src/api/problem.ts'
import { serveOnTest, type Served } from './served.ts'

interface Document {
  openapi: string
  paths: Record<string, Record<string, { responses: Record<string, unknown>; security?: unknown[] }>>
  components: { schemas: Record<string, unknown> }
}

describe('the description of the API', () => {
  let served: Served
  let document: Document
  let page: string
  beforeAll(async () => {
    served = await serveOnTest()
    document = (await (await served.call('GET', '/openapi.json')).json()) as Document
    page = await (await served.call('GET', '/docs')).text()
  })
  afterAll(() => served.close())

  const calls = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    )

  it('is OpenAPI 3.1 and has every route of the contract', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(
      calls()
        .map(({ method, path }) => `${method} ${path}`)
        .toSorted(),
    ).toEqual(
      expect.arrayContaining([
        'get /api/v1/autonomous/{exec_id}/batches',
        'get /api/v1/limits',
        'get /api/v1/runs',
        'get /api/v1/runs/{id}',
        'get /api/v1/runs/{id}/batches',
        'get /api/v1/stats',
        'get /api/v1/tasks',
        'get /api/v1/tasks/{id}',
        'get /api/v1/tasks/{id}/bundle',
        'get /api/v1/tasks/{id}/diff',
        'get /api/v1/tasks/{id}/events',
        'get /api/v1/tasks/{id}/log',
        'get /events',
        'get /healthz',
        'get /metrics',
        'get /readyz',
        'get /schema.json',
        'post /api/v1/agents/run',
        'post /api/v1/autonomous/start',
        'post /api/v1/pause',
        'post /api/v1/resume',
        'post /api/v1/runs',
        'post /api/v1/runs/{id}/cancel',
        'post /api/v1/runs/{id}/retry',
        'post /api/v1/tasks',
        'post /api/v1/tasks/{id}/cancel',
        'post /api/v1/tasks/{id}/retry',
        'put /api/v1/limits',
      ]),
    )
  })

  it('names the problems of every call', () => {
    for (const { path, method, operation } of calls()) {
      const statuses = Object.keys(operation.responses)
      if (!path.startsWith('/api/')) continue
      expect(statuses, `${method} ${path}`).toEqual(
        expect.arrayContaining(['400', '401', '403', '500', '503']),
      )
      if (method === 'get') continue
      expect(statuses, `${method} ${path}`).toEqual(expect.arrayContaining(['413', '415', '422']))
    }
  })

  it('has no reference to a shape that it does not have, and none that nothing can satisfy', () => {
    const text = JSON.stringify(document)
    const named = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      (match) => match[1] ?? '',
    )
    expect(named.length).toBeGreaterThan(20)
    for (const name of named) expect(document.components.schemas, name).toHaveProperty(name)
    expect(text).not.toContain('"allOf"')
  })

  it('has every field of a task and of a submission', () => {
    expect(document.components.schemas['Task']).toMatchObject({
      properties: { outcome: { anyOf: [{ $ref: '#/components/schemas/Outcome' }, { type: 'null' }] } },
    })
    expect(document.components.schemas['Submission']).toMatchObject({
      required: ['repo', 'prompt'],
      additionalProperties: false,
    })
  })

  it('is a page with every call, whose own style is all that it may load', async () => {
    for (const { path, method } of calls()) expect(page).toContain(`${method.toUpperCase()} ${path}`)
    const style = /<style>(.*)<\/style>/s.exec(page)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')
    const policy = (await served.call('GET', '/docs')).headers.get('content-security-policy')
    expect(policy).toContain(`style-src 'sha256-${hash}'`)
    expect(page).not.toMatch(/<script|<img|<link| style=| on[a-z]+=/)
    expect(page).not.toMatch(/src=|@import|url\(/)
  })

  it('is a page where every link leads somewhere, also the types of problems', () => {
    const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]))
    const links = [...page.matchAll(/href="#([^"]+)"/g)].map((match) => match[1])
    expect(links.length).toBeGreaterThan(20)
    expect(links.filter((link) => !ids.has(link))).toEqual([])
    expect(Object.keys(problemKinds).filter((kind) => !ids.has(kind))).toEqual([])
  })
})
