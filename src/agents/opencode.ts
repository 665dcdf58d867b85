import type { AgentEvent } from '../model/agent-event.ts'
import { providerNames, providerOf, type ProviderName } from '../model/provider.ts'
import type { Agent, AgentTurn, ModelWay } from '../ports/agent.ts'
import { agentInstalls } from './agent-programs.ts'
import { createCliAgent, type CliStart } from './cli-agent.ts'
import type { CliOptions } from './cli-program.ts'
import { numberIn, objectIn, textIn, type JsonObject } from './json-lines.ts'
import type { LoginOptions } from './own-login.ts'
import { noFacts, oneLine, shortened, type FinalWord, type StreamReader } from './stream.ts'

const dataFolder = '.local/share/opencode'

/** OpenCode, as `opencode run`. Models are named `provider/model`. */
export function createOpencodeAgent(options: CliOptions & LoginOptions): Agent {
  return createCliAgent(
    {
      name: 'opencode',
      install: agentInstalls.opencode,
      settingPrefix: 'NIGHTSHIFT_OPENCODE',
      login: {
        path: `${dataFolder}/auth.json`,
        hosts: [
          'api.anthropic.com',
          'console.anthropic.com',
          'api.openai.com',
          'chatgpt.com',
          'auth.openai.com',
          'generativelanguage.googleapis.com',
          'opencode.ai',
        ],
      },
      // Its conversations are in a database; what was written last may still be beside it.
      conversationPaths: ['opencode.db', 'opencode.db-wal', 'opencode.db-shm', 'storage'].map(
        (name) => `${dataFolder}/${name}`,
      ),
      providers(model) {
        const named = providerOf('opencode', model)
        return named === null ? providerNames : [named]
      },
      start,
      reader: createOpencodeReader,
    },
    options,
  )
}

function start(turn: AgentTurn): CliStart {
  return {
    args: [
      'run',
      '--format',
      'json',
      '--auto',
      ...(turn.model === null ? [] : ['--model', turn.model]),
      ...(turn.conversation === null ? [] : ['--session', turn.conversation]),
    ],
    stdin: Buffer.from(turn.brief),
    env: {
      OPENCODE_CONFIG_CONTENT: JSON.stringify(settings(turn)),
      // It would ask for these at every start, and wait where there is no network.
      OPENCODE_DISABLE_AUTOUPDATE: '1',
      OPENCODE_DISABLE_MODELS_FETCH: '1',
      OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
      OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    },
  }
}

/** By which name OpenCode knows a provider, and where its API begins. */
const providers: Readonly<Record<ProviderName, { name: string; path: string }>> = {
  anthropic: { name: 'anthropic', path: '/v1' },
  openai: { name: 'openai', path: '/v1' },
  gemini: { name: 'google', path: '/v1beta' },
}

function settings({ ways, model }: AgentTurn) {
  const own = ways.map(({ provider }) => providers[provider].name)
  return {
    autoupdate: false,
    share: 'disabled',
    // Copies of the clone to go back to, which nobody will.
    snapshot: false,
    ...(ways.length === 0 ? {} : { enabled_providers: own }),
    provider: Object.fromEntries(
      ways.map((way) => [providers[way.provider].name, providerSettings(way, model)]),
    ),
  }
}

function providerSettings({ provider, origin, key }: ModelWay, model: string | null) {
  const { name, path } = providers[provider]
  const prefix = `${name}/`
  // A model that is newer than its own list is one all the same.
  const models = model?.startsWith(prefix) === true ? { models: { [model.slice(prefix.length)]: {} } } : {}
  return { options: { baseURL: `${origin}${path}`, apiKey: key }, ...models }
}

/** Reads `--format json`. */
export function createOpencodeReader(): StreamReader {
  const facts = noFacts()
  let text = ''
  return {
    facts,
    read(event) {
      facts.conversation = textIn(event, 'sessionID') ?? facts.conversation
      const part = objectIn(event, 'part')
      switch (event['type']) {
        case 'step_start':
          // What it says after its last tool is its answer.
          text = ''
          facts.final = null
          return [{ kind: 'turn' }]
        case 'text': {
          const said = textIn(part, 'text') ?? ''
          text += said
          return [{ kind: 'message', text: said }]
        }
        case 'tool_use':
          return toolEvents(textIn(part, 'tool') ?? '?', objectIn(part, 'state'))
        case 'step_finish': {
          const tokens = objectIn(part, 'tokens')
          facts.inputTokens = (facts.inputTokens ?? 0) + (numberIn(tokens, 'input') ?? 0)
          facts.outputTokens = (facts.outputTokens ?? 0) + (numberIn(tokens, 'output') ?? 0)
          facts.costUsd = (facts.costUsd ?? 0) + (numberIn(part, 'cost') ?? 0)
          facts.final = finished(textIn(part, 'reason') ?? '', text)
          return []
        }
        case 'reasoning':
          return []
        case 'error': {
          const word = failed(objectIn(event, 'error'), text)
          facts.final = word
          return [{ kind: 'notice', text: word.fault ?? '' }]
        }
        default:
          return null
      }
    },
  }
}

/** After `tool-calls` another step has to follow: alone it is no end. */
function finished(reason: string, text: string): FinalWord | null {
  if (reason === 'tool-calls') return null
  const fault = reason === 'stop' ? null : `its last answer ended as ${oneLine(reason)}`
  return { fault, loginRefused: false, text }
}

function failed(error: JsonObject, text: string): FinalWord & { fault: string } {
  const data = objectIn(error, 'data')
  const status = numberIn(data, 'statusCode')
  const said = textIn(data, 'message') ?? textIn(error, 'name') ?? 'it says that it failed'
  const fault = status === null ? oneLine(said) : `its provider answered ${status}: ${oneLine(said)}`
  return { fault, loginRefused: status === 401 || status === 403, text }
}

function toolEvents(name: string, state: JsonObject): AgentEvent[] {
  const input = objectIn(state, 'input')
  const path = textIn(input, 'filePath') ?? '?'
  switch (name) {
    case 'write':
      return [{ kind: 'file', path, action: 'write' }]
    case 'edit':
    case 'patch':
      return [{ kind: 'file', path, action: 'edit' }]
    case 'question':
      return [{ kind: 'question', text: oneLine(JSON.stringify(input)) }]
    default: {
      const output = textIn(state, 'output') ?? textIn(state, 'error') ?? ''
      const detail = oneLine(textIn(input, 'command') ?? JSON.stringify(input))
      const called: AgentEvent = { kind: 'tool', name, detail }
      return output === '' ? [called] : [called, { kind: 'result', text: shortened(output) }]
    }
  }
}
