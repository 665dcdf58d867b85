import { mkdtemp, rm } from 'node:fs/promises'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createGateway } from '../../src/gateway/gateway.ts'
import type { ProviderLogin } from '../../src/model/provider-access.ts'
import type { ProviderName } from '../../src/model/provider.ts'
import type { GatewaySession, GatewaySpec } from '../../src/ports/gateway.ts'
import type { Log } from '../../src/ports/log.ts'
import type { Spend } from '../../src/ports/spend.ts'
import { openSpend } from '../../src/postgres/spend.ts'
import { systemClock } from '../../src/process/system-clock.ts'
import { testDatabase, type TestDatabase } from '../support/database.ts'
import { startModelApi, type ModelApi, type ModelApiOptions } from '../support/model-api/model-api.ts'

/** A gateway in front of a stand-in, over a database of its own. */
export interface GatewayPlace {
  readonly api: ModelApi
  readonly spend: Spend
  readonly database: TestDatabase
  readonly folder: string
  /** All that was logged. */
  readonly logged: string[]
  open(provider: ProviderName, spec?: Partial<GatewaySpec> & { taskId?: string }): Promise<GatewaySession>
  close(): Promise<void>
}

let tasks = 0

export function newTask(): string {
  tasks += 1
  return `TASK${tasks}`
}

export async function makeGatewayPlace(
  options: ModelApiOptions & { login?: ProviderLogin; baseUrl?: string } = {},
): Promise<GatewayPlace> {
  const api = await startModelApi(options)
  const database = await testDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-gateway-'))
  const logged: string[] = []
  const keep = (message: string, facts?: unknown) => void logged.push(`${message} ${JSON.stringify(facts)}`)
  const log: Log = { info: keep, warn: keep, error: keep }
  const spend = openSpend(database.database)
  const baseUrl = options.baseUrl ?? api.url
  const key = (secret: string): ProviderLogin => options.login ?? { kind: 'key', secret }
  const gateway = createGateway({
    access: {
      anthropic: { baseUrl, login: key(api.keys.anthropic) },
      openai: { baseUrl: `${baseUrl}/v1`, login: key(api.keys.openai) },
      gemini: { baseUrl, login: key(api.keys.gemini) },
    },
    folder,
    socketTag: 'test',
    spend,
    clock: systemClock,
    log,
    proxyEnvironment: {},
  })
  const sessions: GatewaySession[] = []
  return {
    api,
    spend,
    database,
    folder,
    logged,
    open: async (provider, { taskId = newTask(), ...spec } = {}) => {
      const session = await gateway.open({
        lease: { taskId, attempt: 1, workerId: 'worker' },
        provider,
        model: null,
        capUsd: null,
        hostedTools: false,
        ...spec,
      })
      sessions.push(session)
      return session
    },
    close: async () => {
      for (const session of sessions) await session.close()
      gateway.close()
      await api.close()
      await database.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Asking {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly raw?: Buffer
  readonly signal?: AbortSignal
}

/** The head of an answer, over the session's socket; its body is to be read. */
export function begin(session: GatewaySession, asking: Asking): Promise<IncomingMessage> {
  const { method = 'POST', path = '/', headers = {}, body, raw, signal } = asking
  const content = raw ?? (body === undefined ? undefined : Buffer.from(JSON.stringify(body)))
  return new Promise((resolve, reject) => {
    const sent = request({
      socketPath: session.socket,
      method,
      path,
      headers: { 'content-type': 'application/json', 'content-length': content?.length ?? 0, ...headers },
      ...(signal === undefined ? {} : { signal }),
      agent: false,
    })
    sent.once('response', resolve)
    sent.on('error', reject)
    sent.end(content)
  })
}

export async function ask(session: GatewaySession, asking: Asking): Promise<Reply> {
  const answer = await begin(session, asking)
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return {
    status: answer.statusCode ?? 0,
    headers: answer.headers,
    text: Buffer.concat(chunks).toString('utf8'),
  }
}

/** How each protocol is asked for a scene. */
export interface Dialect {
  readonly name: string
  readonly provider: ProviderName
  readonly model: string
  asking(
    session: GatewaySession,
    prompt: string,
    more?: { stream?: boolean; body?: object; model?: string },
  ): Asking
}

export const dialects: readonly Dialect[] = [
  {
    name: 'Anthropic Messages',
    provider: 'anthropic',
    model: 'claude-sonnet-4-6',
    asking: (session, prompt, { stream = true, body, model = 'claude-sonnet-4-6' } = {}) => ({
      path: '/v1/messages?beta=true',
      headers: { 'x-api-key': session.key, 'anthropic-version': '2023-06-01' },
      body: {
        model,
        max_tokens: 4096,
        stream,
        messages: [{ role: 'user', content: prompt }],
        tools: [{ name: 'Bash', input_schema: { properties: { command: { type: 'string' } } } }],
        ...body,
      },
    }),
  },
  {
    name: 'OpenAI Responses',
    provider: 'openai',
    model: 'gpt-5.3-codex',
    asking: (session, prompt, { stream = true, body, model = 'gpt-5.3-codex' } = {}) => ({
      path: '/v1/responses',
      headers: { authorization: `Bearer ${session.key}` },
      body: {
        model,
        stream,
        input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: prompt }] }],
        tools: [
          { type: 'function', name: 'shell', parameters: { properties: { command: { type: 'array' } } } },
        ],
        ...body,
      },
    }),
  },
  {
    name: 'OpenAI Chat Completions',
    provider: 'openai',
    model: 'gpt-5-mini',
    asking: (session, prompt, { stream = true, body, model = 'gpt-5-mini' } = {}) => ({
      path: '/v1/chat/completions',
      headers: { authorization: `Bearer ${session.key}` },
      body: {
        model,
        stream,
        messages: [{ role: 'user', content: prompt }],
        tools: [
          { type: 'function', function: { name: 'bash', parameters: { properties: { command: {} } } } },
        ],
        ...body,
      },
    }),
  },
  {
    name: 'Gemini',
    provider: 'gemini',
    model: 'gemini-2.5-pro',
    asking: (session, prompt, { stream = true, body, model = 'gemini-2.5-pro' } = {}) => ({
      path: `/v1beta/models/${model}:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      headers: { 'x-goog-api-key': session.key },
      body: {
        contents: [{ role: 'user', parts: [{ text: prompt }] }],
        tools: [
          {
            functionDeclarations: [
              { name: 'run_shell_command', parametersJsonSchema: { properties: { command: {} } } },
            ],
          },
        ],
        ...body,
      },
    }),
  },
]
