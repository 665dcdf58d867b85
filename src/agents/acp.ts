import type { SessionUpdate, StopReason } from '@agentclientprotocol/sdk'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { AgentEvent } from '../model/agent-event.ts'
import { providerNames, providerOf } from '../model/provider.ts'
import type { Agent, AgentTurn, ModelWay } from '../ports/agent.ts'
import { endOf, readLine } from './cli-agent.ts'
import { asObject, JsonLines, listIn, objectIn, textIn, type JsonObject } from './json-lines.ts'
import { noFacts, oneLine, shortened, type StreamReader } from './stream.ts'

// As source here, as JavaScript where the project was built.
const isSource = import.meta.url.endsWith('.ts')
const clientFile = new URL(isSource ? 'acp-client.ts' : 'acp-client.js', import.meta.url)
const clientType = isSource ? 'module-typescript' : 'module'

/** The runtime's own Node where it is there, else the one on the PATH. */
const launcher = 'n=/run/nightshift/node; [ -x "$n" ] || n=node; exec "$n" --input-type="$1" --eval "$0"'

/**
 * Any agent that speaks the agent client protocol, started by the task's command. Its client runs beside it in the
 * sandbox, so that all runtimes can do with one exec and nothing of it has to be believed.
 */
export function createAcpAgent(): Agent {
  const client = readFileSync(fileURLToPath(clientFile), 'utf8')
  return {
    name: 'acp',
    install: null,
    // Only the agent knows where it keeps its conversations; within one sandbox it can go on with them.
    conversationPaths: [],
    needsLogin: false,
    ownLogin: null,
    problems: () => Promise.resolve([]),
    program: () => Promise.resolve(null),
    providers(model) {
      const named = providerOf('acp', model)
      return named === null ? providerNames : [named]
    },
    call(turn) {
      const reader = createAcpReader()
      const lines = new JsonLines()
      return {
        argv: ['/bin/sh', '-c', launcher, client, clientType],
        env: environment(turn),
        stdin: Buffer.from(turn.brief),
        read: (line) => readLine(line, lines, reader),
        end: (exec) => endOf('acp', exec, reader),
      }
    },
  }
}

/** By the variables that agents know; which of them it looks at is its own business. */
function environment(turn: AgentTurn): Record<string, string> {
  return {
    NS_ACP_COMMAND: turn.command ?? '',
    NS_ACP_SESSION: turn.conversation ?? '',
    NIGHTSHIFT_ROUND: String(turn.round),
    ...(turn.model === null ? {} : { NIGHTSHIFT_MODEL: turn.model }),
    ...Object.assign({}, ...turn.ways.map(variables)),
  }
}

function variables({ provider, origin, key }: ModelWay): Record<string, string> {
  switch (provider) {
    case 'anthropic':
      return { ANTHROPIC_BASE_URL: origin, ANTHROPIC_API_KEY: key }
    case 'openai':
      return { OPENAI_BASE_URL: `${origin}/v1`, OPENAI_API_KEY: key }
    case 'gemini':
      return { GOOGLE_GEMINI_BASE_URL: origin, GEMINI_API_KEY: key }
    default:
      return provider satisfies never
  }
}

/** Reads what the client in the sandbox prints. */
export function createAcpReader(): StreamReader {
  const facts = noFacts()
  /** Words come in pieces; a message is whole when something else follows. */
  let pending = ''
  let answer = ''

  function flush(): AgentEvent[] {
    if (pending === '') return []
    answer = pending
    pending = ''
    return [{ kind: 'message', text: answer }]
  }

  function update(told: JsonObject): AgentEvent[] {
    const kind = textIn(told, 'sessionUpdate') as SessionUpdate['sessionUpdate'] | null
    switch (kind) {
      case 'agent_message_chunk': {
        const isNew = pending === ''
        pending += textIn(objectIn(told, 'content'), 'text') ?? ''
        return isNew ? [{ kind: 'turn' }] : []
      }
      case 'tool_call':
        return [...flush(), { kind: 'turn' }, toolEvent(told)]
      case 'tool_call_update': {
        const text = listIn(told, 'content').flatMap(textOfContent).join('\n')
        return text === '' ? [] : [{ kind: 'result', text: shortened(text) }]
      }
      default:
        return []
    }
  }

  return {
    facts,
    read(event) {
      if (event['nightshift'] !== 'acp') return null
      switch (event['kind']) {
        case 'session':
          facts.conversation = textIn(event, 'id')
          facts.version = textIn(objectIn(event, 'agent'), 'version')
          return []
        case 'update':
          return update(objectIn(event, 'update'))
        case 'end': {
          const events = flush()
          const fault = faultOf(textIn(event, 'stopReason') as StopReason | null)
          facts.final = { fault, loginRefused: false, text: answer }
          return events
        }
        case 'failed': {
          const events = flush()
          const said = oneLine(textIn(event, 'message') ?? 'it says that it failed')
          facts.final = { fault: said, loginRefused: event['code'] === -32_000, text: answer }
          return events
        }
        case 'gone':
          return flush()
        default:
          return null
      }
    },
  }
}

function faultOf(reason: StopReason | null): string | null {
  switch (reason) {
    case 'end_turn':
      return null
    case 'max_tokens':
      return 'its answer was longer than its model allows'
    case 'max_turn_requests':
      return 'it took more turns than it may'
    case 'refusal':
      return 'its model refused to go on'
    case 'cancelled':
      return 'it was cancelled'
    case null:
      return 'it did not say how it ended'
    default:
      return `it ended as ${oneLine(String(reason))}`
  }
}

function toolEvent(told: JsonObject): AgentEvent {
  const title = oneLine(textIn(told, 'title') ?? '')
  const path = listIn(told, 'locations').map((each) => textIn(asObject(each) ?? {}, 'path'))[0] ?? null
  const kind = textIn(told, 'kind') ?? 'other'
  if (kind === 'edit' && path !== null) return { kind: 'file', path, action: 'edit' }
  if (kind === 'delete' && path !== null) return { kind: 'file', path, action: 'delete' }
  return { kind: 'tool', name: kind, detail: title }
}

function textOfContent(content: unknown): string[] {
  const text = textIn(objectIn(asObject(content) ?? {}, 'content'), 'text')
  return text === null ? [] : [text]
}
