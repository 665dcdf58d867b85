import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { anthropic } from './anthropic.ts'
import { answerTurn } from './answering.ts'
import { chat } from './chat.ts'
import type { Dialect, Json } from './dialect.ts'
import { gemini } from './gemini.ts'
import { refusal } from './refusals.ts'
import { responses } from './responses.ts'
import { aside, scenes } from './scenes.ts'
import type { Protocol, Scene, Tokens, Turn } from './scene.ts'

/** One request that came in. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** The keys that it carried, in whatever header or parameter. */
  readonly keys: readonly string[]
  readonly body: Json
  readonly model: string
  /** The scene that answered; `null`: a side endpoint, or a question beside the work. */
  readonly scene: string | null
  /** Milliseconds, by performance.now(). */
  readonly atMs: number
  /** What the tool calls before it answered. */
  readonly results: readonly string[]
  /** Whether its client hung up before the answer's end. */
  hungUp: boolean
  /** Bytes that its connection has carried back so far. */
  readonly sentBytes: number
}

/** A stand-in for the APIs of Anthropic, OpenAI and Gemini, on loopback. */
export interface ModelApi {
  /** Without a path: ANTHROPIC_BASE_URL and GOOGLE_GEMINI_BASE_URL; with `/v1`: OPENAI_BASE_URL. */
  readonly url: string
  /** Environment of Nightshift that leads to it, with a key for each provider. */
  readonly environment: Readonly<Record<string, string>>
  /** The keys of `environment`; with another, a request is refused. */
  readonly keys: { readonly anthropic: string; readonly openai: string; readonly gemini: string }
  /** Everything that came in, oldest first. */
  readonly requests: readonly SeenRequest[]
  /** Those that asked for an answer of the model. */
  readonly turns: readonly SeenRequest[]
  /** Used where neither prompt nor model names a scene. */
  scene: string
  /** How far the time is away at which a limit ends. */
  resetMs: number
  /** Tokens of every answer that does not name its own. */
  tokens: Partial<Tokens>
  close(): Promise<void>
}

export interface ModelApiOptions {
  readonly scenes?: Readonly<Record<string, Scene>>
  readonly scene?: string
}

const dialects: Readonly<Record<Protocol, Dialect>> = { anthropic, responses, chat, gemini }

/** Starts it on a free port. */
export async function startModelApi(options: ModelApiOptions = {}): Promise<ModelApi> {
  const known = { ...scenes, ...options.scenes }
  const requests: SeenRequest[] = []
  const counts = new Map<string, number>()
  const keys = {
    anthropic: 'sk-ant-stand-in-3Kq9vXw2LmTz',
    openai: 'sk-stand-in-openai-8Rn4cYb6QpWd',
    gemini: 'AIza-stand-in-gemini-5Jh7sGf1XuEo',
  }
  const server = createServer((asked, reply) => {
    handle(asked, reply).catch((error: unknown) => {
      // A mistake of the script's has to be seen, whoever asked.
      console.error(error)
      reply.destroy()
    })
  })

  async function handle(asked: IncomingMessage, reply: ServerResponse): Promise<void> {
    const path = asked.url ?? ''
    const body = await jsonOf(asked)
    const protocol = protocolOf(path)
    const sent = keysOf(asked)
    const seen: SeenRequest = {
      method: asked.method ?? '',
      path,
      headers: asked.headers,
      keys: sent,
      body,
      model: '',
      scene: null,
      atMs: performance.now(),
      results: [],
      hungUp: false,
      get sentBytes() {
        return asked.socket.bytesWritten
      },
    }
    reply.once('close', () => (seen.hungUp = !reply.writableFinished))
    const subscription = asked.headers.authorization?.includes('sk-ant-oat') === true
    if (protocol === null || asked.method !== 'POST') {
      requests.push(seen)
      return sideAnswer(path, asked, reply)
    }
    const turn = dialects[protocol].turn(body, path)
    const beside = turn.tools.length === 0
    const name = sceneName(turn) ?? api.scene
    const nth = counts.get(name) ?? 0
    const scene = known[name]
    if (scene === undefined) throw new Error(`there is no scene ${name}`)
    requests.push(Object.assign(seen, { model: turn.model, scene: name, results: turn.results }))
    const facts = { resetMs: api.resetMs, model: turn.model, subscription }
    if (
      !sent.every((key) => Object.values(keys).includes(key) || key.startsWith('sk-ant-oat')) ||
      sent.length === 0
    ) {
      return refuse(reply, refusal(protocol, 'unauthorized', facts))
    }
    let answer
    try {
      answer = scene(turn, nth)
    } catch (error) {
      if (!beside) throw error
      answer = aside(turn)
    }
    // Only what is no question beside the work moves a scene on.
    if (!beside || answer.kind !== 'calls') counts.set(name, nth + 1)
    if (answer.kind === 'refusal') return refuse(reply, refusal(protocol, answer.refusal, facts))
    const given = beside && turn.wantsJson ? aside(turn) : answer
    await answerTurn(dialects[protocol], turn, given, api.tokens, path, reply)
  }

  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const api: ModelApi = {
    url,
    keys,
    environment: {
      ANTHROPIC_API_KEY: keys.anthropic,
      ANTHROPIC_BASE_URL: url,
      OPENAI_API_KEY: keys.openai,
      OPENAI_BASE_URL: `${url}/v1`,
      GEMINI_API_KEY: keys.gemini,
      GOOGLE_GEMINI_BASE_URL: url,
    },
    requests,
    get turns() {
      return requests.filter(({ scene }) => scene !== null)
    },
    scene: options.scene ?? 'writes',
    resetMs: 2 * 3_600_000,
    tokens: {},
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  return api
}

function sceneName(turn: Turn): string | undefined {
  const said = [...turn.said.join('\n').matchAll(/\bscene:([a-z0-9-]+)/g)].at(-1)?.[1]
  return said ?? /\bscene-([a-z0-9-]+)/.exec(turn.model)?.[1]
}

function protocolOf(path: string): Protocol | null {
  const [pathname = ''] = path.split('?')
  if (pathname === '/v1/messages') return 'anthropic'
  if (pathname === '/v1/responses') return 'responses'
  if (pathname === '/v1/chat/completions') return 'chat'
  return /^\/v1(?:beta|alpha)?\/models\/[^/]+:(?:generateContent|streamGenerateContent)$/.test(pathname)
    ? 'gemini'
    : null
}

function keysOf(asked: IncomingMessage): string[] {
  const bearer = /^Bearer (.+)$/i.exec(asked.headers.authorization ?? '')?.[1]
  const parameter = new URL(asked.url ?? '', 'http://localhost').searchParams.get('key')
  return [asked.headers['x-api-key'], asked.headers['x-goog-api-key'], bearer, parameter].flatMap((key) =>
    typeof key === 'string' ? [key] : [],
  )
}

/** What command lines ask for beside answers. */
function sideAnswer(path: string, asked: IncomingMessage, reply: ServerResponse): void {
  const [pathname = ''] = path.split('?')
  const send = (status: number, body: unknown) => {
    reply.writeHead(status, { 'content-type': 'application/json' })
    reply.end(asked.method === 'HEAD' ? undefined : JSON.stringify(body))
  }
  if (pathname === '/' || pathname === '/v1') return send(200, {})
  if (pathname === '/v1/messages/count_tokens') return send(200, { input_tokens: 1200 })
  if (pathname === '/v1/responses/input_tokens')
    return send(200, { object: 'response.input_tokens', input_tokens: 1200 })
  if (pathname.endsWith(':countTokens')) return send(200, { totalTokens: 1200 })
  if (pathname === '/v1/models') return send(200, { object: 'list', data: [], has_more: false })
  if (pathname === '/v1beta/models') return send(200, { models: [] })
  send(404, {
    type: 'error',
    error: { type: 'not_found_error', message: `no ${asked.method} ${pathname} here` },
  })
}

function refuse(reply: ServerResponse, { status, headers, body }: ReturnType<typeof refusal>): void {
  reply.writeHead(status, { 'content-type': 'application/json', ...headers })
  reply.end(JSON.stringify(body))
}

async function jsonOf(asked: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = []
  for await (const chunk of asked) chunks.push(chunk as Buffer)
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json
  } catch {
    return {}
  }
}
