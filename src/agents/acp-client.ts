/*
 * Runs inside a sandbox, as text that Node is given: the client's side of the agent client protocol (version 1, JSON-RPC
 * in lines). Starts the agent's command, hands it the prompt that comes on stdin, allows what it asks to do, and prints
 * what it tells as JSON lines. Alone in there with no file of ours beside it, so it imports nothing but Node's own.
 *
 * Environment: NS_ACP_COMMAND, NS_ACP_SESSION (a session to go on with, or empty).
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

type Json = Record<string, unknown>

interface Waiting {
  readonly resolve: (result: Json) => void
  readonly reject: (error: Error) => void
}

class AgentError extends Error {
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** What an agent answers where it wants to know who is there. */
const authRequired = -32_000

const prompt = await textOf(process.stdin)
const child = spawn('/bin/sh', ['-c', process.env['NS_ACP_COMMAND'] ?? ''], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
const waiting = new Map<number, Waiting>()
let lastId = 0
let telling = false

child.stdin.on('error', () => {})
createInterface({ input: child.stdout }).on('line', (line) => {
  const message = parse(line)
  if (message === null) process.stdout.write(`${line}\n`)
  else take(message)
})
child.on('exit', (code, signal) => {
  say({ kind: 'gone', code, signal })
  process.exit(code === 0 ? 1 : (code ?? 1))
})

try {
  say({ kind: 'end', ...(await work()) })
  // It may go on for ever: it is a server.
  process.exit(0)
} catch (error) {
  const code = error instanceof AgentError ? error.code : null
  say({ kind: 'failed', message: error instanceof Error ? error.message : String(error), code })
  process.exit(1)
}

async function work(): Promise<Json> {
  const hello = await ask('initialize', {
    protocolVersion: 1,
    clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
    clientInfo: { name: 'nightshift', version: '1' },
  })
  const loads = objectOf(hello['agentCapabilities'])['loadSession'] === true
  const before = process.env['NS_ACP_SESSION'] ?? ''
  const place = { cwd: process.cwd(), mcpServers: [] }
  const sessionId =
    before !== '' && loads
      ? await authenticated(hello, () => ask('session/load', { sessionId: before, ...place })).then(
          () => before,
        )
      : String((await authenticated(hello, () => ask('session/new', place)))['sessionId'])
  say({ kind: 'session', id: loads ? sessionId : null, agent: hello['agentInfo'] ?? null })
  // What is told before is what was said in an earlier round.
  telling = true
  return ask('session/prompt', { sessionId, prompt: [{ type: 'text', text: prompt }] })
}

/** Tries again with a key of the environment where the agent wants to know who is there. */
async function authenticated(hello: Json, request: () => Promise<Json>): Promise<Json> {
  try {
    return await request()
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== authRequired) throw error
    const methods = Array.isArray(hello['authMethods']) ? hello['authMethods'].map(objectOf) : []
    const byKey = methods.find((method) =>
      /api.?key/i.test(`${String(method['id'])} ${String(method['name'])}`),
    )
    if (byKey === undefined) throw error
    await ask('authenticate', { methodId: byKey['id'] })
    return request()
  }
}

function ask(method: string, params: Json): Promise<Json> {
  const id = (lastId += 1)
  send({ jsonrpc: '2.0', id, method, params })
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
}

function take(message: Json): void {
  const { id, method } = message
  if (typeof method === 'string') {
    if (id === undefined) {
      if (telling && method === 'session/update')
        say({ kind: 'update', update: objectOf(message['params'])['update'] })
    } else send({ jsonrpc: '2.0', id, ...answer(method, objectOf(message['params'])) })
    return
  }
  const asked = waiting.get(Number(id))
  waiting.delete(Number(id))
  const error = message['error']
  if (error === undefined) asked?.resolve(objectOf(message['result']))
  else {
    const { code, message: text, data } = objectOf(error)
    const details = data === undefined ? '' : ` (${JSON.stringify(data).slice(0, 500)})`
    asked?.reject(new AgentError(Number(code), `${String(text)}${details}`))
  }
}

/** The sandbox is what keeps the agent from doing harm: all that it asks to do is allowed. */
function answer(method: string, params: Json): Json {
  if (method !== 'session/request_permission') {
    return { error: { code: -32_601, message: `${method} is not available` } }
  }
  const options = Array.isArray(params['options']) ? params['options'].map(objectOf) : []
  const chosen =
    options.find((option) => option['kind'] === 'allow_always') ??
    options.find((option) => option['kind'] === 'allow_once') ??
    options[0]
  const outcome =
    chosen === undefined ? { outcome: 'cancelled' } : { outcome: 'selected', optionId: chosen['optionId'] }
  return { result: { outcome } }
}

function send(message: Json): void {
  child.stdin.write(`${JSON.stringify(message)}\n`)
}

function say(message: Json): void {
  process.stdout.write(`${JSON.stringify({ nightshift: 'acp', ...message })}\n`)
}

function parse(line: string): Json | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Json) : null
  } catch {
    return null
  }
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
