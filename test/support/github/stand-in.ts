import { serve } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { writeFile } from 'node:fs/promises'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createGitBackend } from '../git-backend.ts'
import { makeRepository, type RepositoryParts } from '../repositories.ts'
import { addAppRoutes, asApp, StandInApp } from './app.ts'
import { Faults } from './faults.ts'
import { answerGraphql, graphqlRoute } from './graphql.ts'
import { faultsOf } from './openapi.ts'
import { StandInRepository } from './repository.ts'
import { addRoutes, Refusal, type Answer, type Handler } from './routes.ts'

/** A call to the API, as it was answered. */
export interface RecordedCall {
  readonly route: string
  readonly path: string
  readonly user: string | null
  readonly body: unknown
  readonly atMs: number
}

export interface GithubStandIn {
  /** For GITHUB_SERVER_URL. */
  readonly url: string
  /** For GITHUB_API_URL. */
  readonly apiUrl: string
  readonly faults: Faults
  readonly calls: RecordedCall[]
  /** Tokens to logins; taking one away revokes it. */
  readonly tokens: Map<string, string>
  /** What no test may leave behind: unknown routes, bodies that GitHub's description forbids. */
  readonly problems: string[]
  /** Lets this app in, which is installed everywhere; answers how it is told to go. */
  readonly app: StandInApp
  /** Makes a bare repository that is served by git and by the API. */
  makeRepository(owner: string, name: string, parts?: RepositoryParts): Promise<StandInRepository>
  /** How many calls of this route were answered. */
  count(route: string): number
  close(): Promise<void>
}

/** Two users: `bot`, whom Nightshift is, and `reviewer`, a person. */
export const botToken = 'ghp_the_token_of_the_bot_1234567890'
export const personToken = 'ghp_the_token_of_a_person_1234567890'

type Env = { Bindings: { incoming: IncomingMessage } }

/** GitHub on the loopback: its API over real bare repositories, which `git http-backend` serves beside it. */
export async function startGithub(root: string): Promise<GithubStandIn> {
  const faults = new Faults()
  const calls: RecordedCall[] = []
  const problems: string[] = []
  const tokens = new Map([
    [botToken, 'bot'],
    [personToken, 'reviewer'],
  ])
  const installed = new StandInApp(tokens)
  const repositories = new Map<string, StandInRepository>()
  const backend = createGitBackend(root)
  const app = new Hono<Env>()
  let url = ''

  function handle(operation: string, handler: Handler) {
    const [method = 'GET', template = ''] = operation.split(' ')
    // A ref may have slashes; it stands at the end, or before a known word.
    const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      name === 'ref' ? ':ref{.+}' : `:${name}`,
    )
    app.on(method, `/api/v3${path}`, (c) => answer(c, operation, handler))
  }

  async function answer(c: Context<Env>, operation: string, handler: Handler): Promise<Response> {
    const token = tokenOf(c.req.header('authorization') ?? '')
    const text = c.req.method === 'GET' || c.req.method === 'DELETE' ? '' : await c.req.text()
    const body: unknown = text === '' ? null : JSON.parse(text)
    const { incoming } = c.env
    const lost = () => {
      incoming.socket.destroy()
      return new Response(null, { status: 500 })
    }
    if (faults.take(operation, ['cut']) !== null) return lost()
    const before = faults.take(operation, ['hold before'])
    before?.held?.arrive()
    await before?.held?.released
    const refused = faults.take(operation, ['refuse'])?.answer
    if (refused !== undefined)
      return refusal(refused.status, refused.message, refused.errors, refused.headers)
    const user = (asApp.has(operation) ? installed.known(token) : tokens.get(token)) ?? null
    calls.push({ route: operation, path: c.req.path, user, body, atMs: performance.now() })
    if (user === null) return refusal(401, 'Bad credentials')
    const found = await done(c, operation, handler, user, body)
    const after = faults.take(operation, ['hold after'])
    after?.held?.arrive()
    await after?.held?.released
    return faults.take(operation, ['lose']) === null ? found : lost()
  }

  async function done(c: Context<Env>, operation: string, handler: Handler, user: string, body: unknown) {
    try {
      if (body !== null) {
        for (const fault of operation === graphqlRoute ? [] : faultsOf(operation, 'request', body))
          problems.push(`request ${operation}: ${fault}`)
      }
      const params = c.req.param() as Record<string, string>
      const { owner, repo } = params
      const repository = repositories.get(`${owner ?? ''}/${repo ?? ''}`.toLowerCase()) ?? null
      if (owner !== undefined && repository === null) throw new Refusal(404, 'Not Found')
      const given: Answer = await handler({ user, params, query: c.req.query(), body, repository, url })
      for (const fault of operation === graphqlRoute ? [] : faultsOf(operation, given.status, given.body)) {
        problems.push(`answer ${operation}: ${fault}`)
      }
      return given.status === 204
        ? new Response(null, { status: 204 })
        : Response.json(given.body, { status: given.status, headers: { 'x-oauth-scopes': 'repo, workflow' } })
    } catch (error) {
      if (error instanceof Refusal) return refusal(error.status, error.message, error.errors)
      problems.push(`${operation}: ${String(error)}`)
      return refusal(500, 'Server Error')
    }
  }

  addRoutes(handle)
  addAppRoutes(handle, installed)
  // As GitHub Enterprise has it, beside /api/v3.
  app.post('/api/graphql', (c) => answer(c, graphqlRoute, (call) => answerGraphql(repositories, call)))
  app.all('/api/*', (c) => {
    problems.push(`unknown route: ${c.req.method} ${c.req.path}`)
    return refusal(404, 'Not Found')
  })
  app.all('*', async (c) => {
    const { incoming } = c.env
    const [, owner, name, rest] = /^\/([^/]+)\/([^/]+?)(?:\.git)?(\/.*)$/.exec(c.req.path) ?? []
    const repository = repositories.get(`${owner ?? ''}/${name ?? ''}`.toLowerCase())
    const basic = /^Basic (.+)$/.exec(c.req.header('authorization') ?? '')?.[1] ?? ''
    const [login, password = ''] = Buffer.from(basic, 'base64').toString('utf8').split(':')
    const user = login === 'x-access-token' ? (tokens.get(password) ?? null) : null
    if (user === null) {
      return new Response('Bad credentials', {
        status: 401,
        headers: { 'www-authenticate': 'Basic realm="GitHub"' },
      })
    }
    if (repository === undefined) return new Response('Repository not found.', { status: 404 })
    const query = new URL(c.req.url).search
    if (repository.archived && `${rest ?? ''}${query}`.includes('git-receive-pack')) {
      return new Response('This repository was archived so it is read-only.', { status: 403 })
    }
    const route = `${c.req.method} git ${rest ?? ''}`
    const body = Buffer.from(await c.req.arrayBuffer())
    const isPush = route === 'POST git /git-receive-pack' && body.length > 4
    if (isPush) await writeProtection(repository)
    const held = isPush ? faults.take('git push', ['hold before', 'lose']) : null
    held?.held?.arrive()
    await held?.held?.released
    const result = await backend.run({
      method: c.req.method,
      url: `/${repository.owner}/${repository.name}.git${rest ?? ''}${query}`,
      headers: incoming.headers,
      body,
      user,
    })
    const after = isPush ? faults.take('git push', ['hold after']) : null
    after?.held?.arrive()
    await after?.held?.released
    if (held?.do === 'lose') incoming.socket.destroy()
    return new Response(new Uint8Array(result.body), { status: result.status, headers: result.headers })
  })

  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
  await new Promise<void>((resolve) => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  return {
    url,
    apiUrl: `${url}/api/v3`,
    faults,
    calls,
    tokens,
    problems,
    app: installed,
    async makeRepository(owner, name, parts) {
      const path = join(root, owner, `${name}.git`)
      await makeRepository(path, parts)
      await writeFile(join(path, 'hooks', 'pre-receive'), hook, { mode: 0o755 })
      const repository = new StandInRepository(owner, name, path)
      repositories.set(`${owner}/${name}`.toLowerCase(), repository)
      return repository
    },
    count: (route) => calls.filter((call) => call.route === route).length,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      backend.close()
      await closed
    },
  }
}

// A line a protected branch: its name, and how GitHub says no.
const hook = `#!/bin/sh
while read -r old new ref; do
  code=$(grep "^\${ref#refs/heads/} " protected 2> /dev/null | cut -d' ' -f2)
  [ -n "$code" ] || continue
  echo "error: $code: Protected branch update failed for $ref."
  exit 1
done
`

async function writeProtection(repository: StandInRepository): Promise<void> {
  const lines = [...repository.protection]
    .filter(([, wanted]) => wanted.push !== 'allowed')
    .map(([branch, wanted]) => `${branch} ${wanted.push}\n`)
  await writeFile(join(repository.path, 'protected'), lines.join(''))
}

function tokenOf(header: string): string {
  return /^(?:Bearer|token) (.+)$/i.exec(header)?.[1] ?? ''
}

function refusal(
  status: number,
  message: string,
  errors?: readonly unknown[],
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = {
    message,
    documentation_url: 'https://docs.github.com/rest',
    ...(errors === undefined ? {} : { errors }),
  }
  return Response.json(body, { status, headers })
}
