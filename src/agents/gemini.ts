import type { AgentEvent } from '../model/agent-event.ts'
import type { Agent, AgentTurn } from '../ports/agent.ts'
import { agentInstalls } from './agent-programs.ts'
import { createCliAgent, type CliStart } from './cli-agent.ts'
import type { CliOptions } from './cli-program.ts'
import { numberIn, objectIn, textIn, type JsonObject } from './json-lines.ts'
import type { LoginOptions } from './own-login.ts'
import { noFacts, oneLine, shortened, type StreamReader } from './stream.ts'

/** Gemini CLI, headless. */
export function createGeminiAgent(options: CliOptions & LoginOptions): Agent {
  return createCliAgent(
    {
      name: 'gemini',
      install: agentInstalls.gemini,
      settingPrefix: 'NIGHTSHIFT_GEMINI',
      login: {
        path: '.gemini/oauth_creds.json',
        hosts: ['cloudcode-pa.googleapis.com', 'oauth2.googleapis.com', 'www.googleapis.com'],
      },
      // Its conversations, and by which name it knows the clone.
      conversationPaths: ['.gemini/tmp', '.gemini/history', '.gemini/projects.json'],
      providers: () => ['gemini'],
      start,
      reader: createGeminiReader,
    },
    options,
  )
}

function start(turn: AgentTurn): CliStart {
  const way = turn.ways.find(({ provider }) => provider === 'gemini')
  return {
    args: [
      '--yolo',
      '--skip-trust',
      '--output-format',
      'stream-json',
      ...(turn.model === null ? [] : ['--model', turn.model]),
      ...(turn.conversation === null ? [] : ['--resume', turn.conversation]),
    ],
    stdin: Buffer.from(turn.brief),
    env: way === undefined ? {} : { GOOGLE_GEMINI_BASE_URL: way.origin, GEMINI_API_KEY: way.key },
    files: [{ path: '.gemini/settings.json', content: JSON.stringify(settings(turn)) }],
  }
}

/** With a base URL in the environment it takes no key from there unless it is told to. */
function settings(turn: AgentTurn) {
  return {
    // Without a key from us it is logged in by itself.
    security: { auth: { selectedType: turn.ways.length === 0 ? 'oauth-personal' : 'gemini-api-key' } },
    // What takes longer than a few tries is for the queue to wait for: by default it repeats for over three minutes.
    general: { enableAutoUpdate: false, enableAutoUpdateNotification: false, maxAttempts: 4 },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    model: { maxSessionTurns: turn.maxTurns },
  }
}

/** Reads `--output-format stream-json`. */
export function createGeminiReader(): StreamReader {
  const facts = noFacts()
  /** Words come in pieces; a message is whole when something else follows. */
  let pending = ''
  let lastMessage = ''
  let lastError: string | null = null

  function flush(): AgentEvent[] {
    if (pending === '') return []
    lastMessage = pending
    pending = ''
    return [{ kind: 'message', text: lastMessage }]
  }

  return {
    facts,
    read(event) {
      switch (event['type']) {
        case 'init':
          facts.conversation = textIn(event, 'session_id')
          return []
        case 'message':
          if (event['role'] !== 'assistant') return []
          if (event['delta'] !== true) {
            const before = flush()
            pending = textIn(event, 'content') ?? ''
            return [...before, { kind: 'turn' }]
          }
          {
            const isNew = pending === ''
            pending += textIn(event, 'content') ?? ''
            return isNew ? [{ kind: 'turn' }] : []
          }
        case 'tool_use':
          return [
            ...flush(),
            { kind: 'turn' },
            toolOf(textIn(event, 'tool_name') ?? '?', objectIn(event, 'parameters')),
          ]
        case 'tool_result': {
          const output = textIn(event, 'output') ?? ''
          return output === '' ? [] : [{ kind: 'result', text: shortened(output) }]
        }
        case 'error':
          lastError = textIn(event, 'message')
          return [...flush(), { kind: 'notice', text: oneLine(lastError ?? 'an error') }]
        case 'result': {
          const events = flush()
          const stats = objectIn(event, 'stats')
          facts.inputTokens = numberIn(stats, 'input_tokens')
          facts.outputTokens = numberIn(stats, 'output_tokens')
          facts.model = Object.keys(objectIn(stats, 'models')).at(-1) ?? facts.model
          facts.final = finalWord(event, lastError, lastMessage)
          return events
        }
        default:
          return null
      }
    },
  }
}

function finalWord(event: JsonObject, lastError: string | null, text: string) {
  if (event['status'] === 'success') return { fault: null, loginRefused: false, text }
  const said = textIn(objectIn(event, 'error'), 'message') ?? lastError ?? 'it says that it failed'
  const loginRefused = /API_KEY_INVALID|API key not valid|UNAUTHENTICATED|PERMISSION_DENIED/.test(said)
  return { fault: oneLine(said), loginRefused, text }
}

function toolOf(name: string, input: JsonObject): AgentEvent {
  const path = textIn(input, 'file_path') ?? '?'
  switch (name) {
    case 'write_file':
      return { kind: 'file', path, action: 'write' }
    case 'replace':
      return { kind: 'file', path, action: 'edit' }
    case 'ask_user':
      return { kind: 'question', text: oneLine(JSON.stringify(input)) }
    default:
      return { kind: 'tool', name, detail: oneLine(textIn(input, 'command') ?? JSON.stringify(input)) }
  }
}
