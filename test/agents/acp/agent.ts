/*
 * An agent that speaks the agent client protocol, as a file of a repository under test: what it does is the word after
 * `scene:` in its prompt. Alone in its clone, so it imports nothing but Node's own.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

type Json = Record<string, unknown>

const loads = process.argv.includes('--loads')
const wantsKey = process.argv.includes('--wants-key')
/** Below HOME: sessions outlive the process, not the sandbox. */
const memory = `${process.env['HOME'] ?? ''}/session.txt`
let keyGiven = false
let permitted: (outcome: Json) => void = () => {}

const send = (message: Json) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const update = (told: Json) => send({ method: 'session/update', params: { sessionId: 'one', update: told } })
const words = (text: string) =>
  update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } })

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, method, params, result } = JSON.parse(line) as Json & { params: Json; result: Json }
  if (method === undefined) return permitted(result)
  try {
    send({ id, result: await answer(String(method), params) })
  } catch (error) {
    send({ id, error: { code: error === noKey ? -32_000 : -32_603, message: String(error) } })
  }
})

const noKey = new Error('authentication required')

function answer(method: string, params: Json): Json | Promise<Json> {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: 1,
        agentCapabilities: { loadSession: loads },
        agentInfo: { name: 'scenes', version: '1.2.3' },
        authMethods: [{ id: 'api-key', name: 'API key' }],
      }
    case 'authenticate':
      keyGiven = (process.env['ANTHROPIC_API_KEY'] ?? '') !== ''
      return {}
    case 'session/new':
      if (wantsKey && !keyGiven) throw noKey
      writeFileSync(memory, '')
      return { sessionId: 'one' }
    case 'session/load':
      // What was said before is told again, as the protocol wants it; it must not count as an answer.
      words('This was said in the first round.')
      return {}
    case 'session/prompt':
      return play(JSON.stringify(params['prompt']))
    default:
      throw new Error(`${method} is not known`)
  }
}

async function play(prompt: string): Promise<Json> {
  const before = existsSync(memory) ? readFileSync(memory, 'utf8') : ''
  writeFileSync(memory, before + prompt)
  switch (/scene:([a-z-]+)/.exec(before + prompt)?.[1]) {
    case 'mends':
      writeFileSync('written.txt', prompt.includes('data-') ? 'good\n' : 'bad\n')
      words(before === '' ? 'I began anew.' : 'I went on.')
      return { stopReason: 'end_turn' }
    case 'asks-for-leave': {
      const options = [
        { optionId: 'no', name: 'No', kind: 'reject_once' },
        { optionId: 'yes', name: 'Yes', kind: 'allow_once' },
      ]
      const outcome = await new Promise<Json>((resolve) => {
        permitted = resolve
        send({ id: 'leave', method: 'session/request_permission', params: { sessionId: 'one', options } })
      })
      update({
        sessionUpdate: 'tool_call',
        title: 'Write',
        kind: 'edit',
        locations: [{ path: 'written.txt' }],
      })
      writeFileSync('written.txt', `good ${JSON.stringify(outcome)}\n`)
      words('I was allowed to.')
      return { stopReason: 'end_turn' }
    }
    case 'says-nothing':
      return { stopReason: 'end_turn' }
    case 'refuses':
      words('I will not.')
      return { stopReason: 'refusal' }
    case 'breaks-off':
      words('I began.')
      process.exit(3)
    case 'hangs':
      words('I began.')
      return new Promise(() => {})
    case 'asks':
      words('Which of the two files do you mean? Please tell me, then I will go on.')
      return { stopReason: 'end_turn' }
    default:
      throw new Error('no such scene')
  }
}
