import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { problemSchema } from '../../src/api/problem.ts'
import { serveOnTest, type CallInit, type Served } from './served.ts'

const text = (raw: string): CallInit => ({ raw })

describe('a request that cannot be taken', () => {
  let served: Served
  beforeAll(async () => {
    served = await serveOnTest()
  })
  afterAll(() => served.close())

  const task = { repo: 'https://example.org/one.git', prompt: 'p', command: 'true' }
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  const cases: readonly (readonly [string, string, string, CallInit, number, readonly string[]])[] = [
    ['an unknown path', 'GET', '/nothing', {}, 404, []],
    ['an unknown API path', 'GET', '/api/v1/nothing', {}, 404, []],
    ['a wrong method', 'DELETE', '/api/v1/tasks', {}, 405, []],
    ['a wrong method with an id', 'PUT', '/api/v1/tasks/abcd1234', { body: {} }, 405, []],
    ['no body', 'POST', '/api/v1/tasks', {}, 422, ['body']],
    ['half of a body', 'POST', '/api/v1/tasks', text('{"repo": '), 400, []],
    ['a trailing comma', 'POST', '/api/v1/tasks', text('{"repo": "x",}'), 400, []],
    ['two values', 'POST', '/api/v1/tasks', text('{} {}'), 400, []],
    ['a single quote', 'POST', '/api/v1/tasks', text("{'repo': 1}"), 400, []],
    ['a raw control character', 'POST', '/api/v1/tasks', text('{"repo": "a\nb"}'), 400, []],
    ['deep nesting', 'POST', '/api/v1/tasks', text(deep), 400, []],
    [
      'bytes that are not UTF-8',
      'POST',
      '/api/v1/tasks',
      { raw: new Uint8Array([0x22, 0xff, 0x22]) },
      400,
      [],
    ],
    ['an array', 'POST', '/api/v1/tasks', { body: [] }, 422, ['body']],
    ['a text', 'POST', '/api/v1/tasks', { body: 'x' }, 422, ['body']],
    ['null', 'POST', '/api/v1/tasks', { body: null }, 422, ['body']],
    ['nothing of what is needed', 'POST', '/api/v1/tasks', { body: {} }, 422, ['prompt', 'repo']],
    ['nothing of a run', 'POST', '/api/v1/runs', { body: {} }, 422, ['planPath', 'repo']],
    [
      'half a run',
      'POST',
      '/api/v1/runs',
      { body: { planPath: 5, timeout: 3 } },
      422,
      ['planPath', 'repo', 'timeout'],
    ],
    [
      'nothing of a run by its other names',
      'POST',
      '/api/v1/autonomous/start',
      { body: {} },
      422,
      ['plan_path', 'repo'],
    ],
    ['nothing of a schedule', 'POST', '/api/v1/schedules', { body: {} }, 422, ['cron', 'name', 'task']],
    [
      'fields of wrong types',
      'POST',
      '/api/v1/tasks',
      { body: { ...task, priority: 'high', needs: 'x', paths: [1], requireChanges: 1, timeout: 3 } },
      422,
      ['needs', 'paths[0]', 'priority', 'requireChanges', 'timeout'],
    ],
    ['unknown fields', 'POST', '/api/v1/tasks', { body: { ...task, a: 1, b: 2 } }, 422, ['a', 'b']],
    [
      'a prototype',
      'POST',
      '/api/v1/tasks',
      text('{"__proto__": {"repo": "x"}}'),
      422,
      ['__proto__', 'prompt', 'repo'],
    ],
    ['doubled keys', 'POST', '/api/v1/tasks', text('{"repo": "a", "repo": "b"}'), 422, ['repo']],
    ['a NUL', 'POST', '/api/v1/tasks', { body: { ...task, needs: ['a\0'] } }, 422, ['needs[0]']],
    ['a lone surrogate', 'POST', '/api/v1/tasks', text('{"prompt": "\\ud800"}'), 422, ['prompt']],
    [
      'a huge number',
      'POST',
      '/api/v1/tasks',
      text('{"priority": 1e999}'),
      422,
      ['priority', 'prompt', 'repo'],
    ],
    ['an unknown agent', 'POST', '/api/v1/tasks', { body: { ...task, agent: 'claude' } }, 422, ['agent']],
    [
      'a foreign transport',
      'POST',
      '/api/v1/tasks',
      { body: { ...task, repo: 'ext::sh -c x' } },
      422,
      ['repo'],
    ],
    ['the whole network', 'POST', '/api/v1/tasks', { body: { ...task, network: 'full' } }, 422, ['network']],
    [
      'a need that is not there',
      'POST',
      '/api/v1/tasks',
      { body: { ...task, needs: ['01ABC'] } },
      422,
      ['needs'],
    ],
    ...(
      [
        ['no candidate', { candidates: 0 }, ['candidates']],
        ['candidates as text', { candidates: 'three' }, ['candidates']],
        ['an empty list of candidates', { candidates: [] }, ['candidates']],
        ['an unknown field of a candidate', { candidates: [{}, { x: 1 }] }, ['candidates[1].x']],
        ['an unknown candidate', { candidates: [{ agent: 'q' }, {}] }, ['candidates[0].agent']],
        ['a candidate that is not there', { candidates: [{ agent: 'codex' }] }, ['candidates[0].agent']],
        [
          'a candidate without its command',
          { command: undefined, candidates: [{ command: 'true' }, { agent: 'command' }] },
          ['candidates[1].command'],
        ],
        ['a judge beside another rule', { keep: 'smallest', judgeCommand: 'true' }, ['keep']],
        ['nobody who could judge', { keep: 'judge' }, ['keep']],
        ['a judge without its command', { judge: 'command' }, ['judgeCommand']],
        ['a command of a judge that takes none', { judge: 'codex', judgeCommand: 'true' }, ['judgeCommand']],
      ] as const
    ).map(
      ([what, fields, named]) =>
        [what, 'POST', '/api/v1/tasks', { body: { ...task, candidates: 2, ...fields } }, 422, named] as const,
    ),
    ['a large body', 'POST', '/api/v1/tasks', text(`"${'x'.repeat(1024 * 1024)}"`), 413, []],
    ['a form', 'POST', '/api/v1/tasks', { raw: 'a=b', headers: { 'content-type': 'text/plain' } }, 415, []],
    [
      'a gzipped body',
      'POST',
      '/api/v1/tasks',
      { body: {}, headers: { 'content-encoding': 'gzip' } },
      415,
      [],
    ],
    [
      'another character set',
      'POST',
      '/api/v1/tasks',
      { body: {}, headers: { 'content-type': 'application/json; charset=utf-16' } },
      415,
      [],
    ],
    [
      'an idempotency key with a space',
      'POST',
      '/api/v1/tasks',
      { body: task, headers: { 'idempotency-key': 'a b' } },
      422,
      ['idempotency-key'],
    ],
    [
      'bad filters',
      'GET',
      '/api/v1/tasks?limit=0&state=x&outcome=y&page=2',
      {},
      422,
      ['limit', 'outcome', 'page', 'state'],
    ],
    ['a doubled filter', 'GET', '/api/v1/tasks?state=done&state=queued', {}, 422, ['state']],
    ['a NUL in a filter', 'GET', '/api/v1/tasks?repo=%00&cursor=%00', {}, 422, ['cursor', 'repo']],
    ['an unknown task', 'GET', '/api/v1/tasks/01ARZ3NDEKTSV4RRFFQ69G5FAV', {}, 404, []],
    ['no id at all', 'GET', '/api/v1/tasks/%00', {}, 404, []],
    ['a broken escape', 'GET', '/api/v1/tasks/%zz', {}, 404, []],
    ['a task without a diff', 'GET', '/api/v1/tasks/01ARZ3NDEKTSV4RRFFQ69G5FAV/diff', {}, 404, []],
    ['a body where none is', 'POST', '/api/v1/pause', { body: { until: 'noon' } }, 422, ['until']],
    [
      'half of the limits',
      'PUT',
      '/api/v1/limits',
      { body: { global: 0, perAgent: '1' } },
      422,
      ['global', 'perAgent', 'perRepository'],
    ],
    [
      'other words for a run',
      'POST',
      '/api/v1/agents/run',
      { body: { prompt: 'p', runtime: 'local' } },
      422,
      ['prompt', 'runtime'],
    ],
    [
      'a run without anything',
      'POST',
      '/api/v1/agents/run',
      { body: { execution_mode: 1 } },
      422,
      ['execution_mode', 'repo', 'task'],
    ],
    ['a run that is no object', 'POST', '/api/v1/agents/run', { body: [] }, 422, ['body']],
  ]

  it.each(cases)(
    'with %s: a problem that names every bad field',
    async (_what, method, path, init, status, fields) => {
      const response = await served.call(method, path, init)
      expect(response.headers.get('content-type')).toBe('application/problem+json')
      const problem = problemSchema.parse(await response.json())
      expect({
        status: problem.status,
        fields: (problem.errors ?? []).map((error) => error.field).toSorted(),
      }).toEqual({
        status,
        fields,
      })
      expect(response.status).toBe(status)
      expect(problem.type).toMatch(/^\/docs#[a-z-]+$/)
      expect(served.logged).toEqual([])
    },
  )

  it('says where malformed JSON is malformed', async () => {
    const response = await served.call('POST', '/api/v1/tasks', {
      raw: '{\n  "repo": "x",\n  "prompt": tru\n}',
    })
    expect(await response.json()).toMatchObject({
      detail: 'not JSON: expected a value, at line 3, column 13',
    })
  })

  it.each<[Readonly<Record<string, unknown>>, string]>([
    [{ network: null }, 'network: must be none, full, or hosts: a list, or one text with commas'],
    [{ network: ' , ' }, 'network: must be none, full, or at least one host'],
    [{ network: 'none,example.org' }, 'network: none stands alone, not in a list'],
    [{ network: ['Full'] }, 'network: full stands alone, not in a list'],
    [{ network: 'example.org:99999' }, 'network: "example.org:99999" must have a port from 1 to 65535'],
    [{ network: 'a b' }, 'network: "a b" must be a host name, optionally with *. in front and :port behind'],
    [{ base: '' }, 'base: must be a valid branch name, such as feature/one'],
    [{ paths: [''] }, 'paths[0]: must not be empty'],
  ])('%j: says what is wrong once, and what to write', async (fields, detail) => {
    const response = await served.call('POST', '/api/v1/tasks', { body: { ...task, ...fields } })
    expect(await response.json()).toMatchObject({ status: 422, detail })
  })

  it('says which parameters of the query stand twice', async () => {
    const response = await served.call('GET', '/api/v1/tasks?limit=1&limit=2&state=done&state=held')
    expect(await response.json()).toMatchObject({
      status: 422,
      detail: 'limit: stands twice; leave one out; state: stands twice; leave one out',
    })
  })

  it('says which methods a path takes', async () => {
    const response = await served.call('PATCH', '/api/v1/limits', { body: {} })
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT'])
  })

  it('answers 50,000 wrong fields with a short problem', async () => {
    const body = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`f${index}`, 0]))
    const response = await served.call('POST', '/api/v1/tasks', { body })
    expect(response.status).toBe(422)
    expect((await response.text()).length).toBeLessThan(100_000)
  })

  it('counts the bytes that come, whatever the declared length says', async () => {
    const raw = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536).fill(0x20)),
    })
    const response = await served.call('POST', '/api/v1/tasks', { raw, headers: { 'content-length': '10' } })
    expect(response.status).toBe(413)
  })

  it('stores nothing of what it refused', async () => {
    expect(await (await served.call('GET', '/api/v1/tasks')).json()).toEqual({ items: [], nextCursor: null })
  })
})

describe('a server that is in trouble', () => {
  it('answers 503 and when to try again while the database is away, and is not ready', async () => {
    const served = await serveOnTest()
    await served.database.close()
    const response = await served.call('GET', '/api/v1/stats', {})
    const problem = problemSchema.parse(await response.json())
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    expect(served.logged).toMatchObject([{ reference: problem.reference }])
    const ready = await served.call('GET', '/readyz')
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { ready: false, reasons: ['the database does not answer'] },
    ])
    expect((await served.call('GET', '/healthz')).status).toBe(200)
  })

  it('answers 500 with a reference that stands in the log, and no more', async () => {
    const served = await serveOnTest()
    await served.database.query('alter table tasks rename to elsewhere')
    const response = await served.call('GET', '/api/v1/tasks')
    const body = await response.text()
    const problem = problemSchema.parse(JSON.parse(body))
    expect(response.status).toBe(500)
    expect(body).not.toMatch(/elsewhere|relation|\.ts|stack/)
    expect(served.logged).toMatchObject([
      { reference: problem.reference, error: expect.stringContaining('tasks') as unknown },
    ])
    await served.close()
  })

  it('is not ready while it drains, and says so', async () => {
    const served = await serveOnTest({ draining: () => 'this process is stopping' })
    const ready = await served.call('GET', '/readyz')
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { ready: false, reasons: ['this process is stopping'] },
    ])
    await served.close()
  })
})
