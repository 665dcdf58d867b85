import type { AgentEvent } from '../model/agent-event.ts'
import type { Agent, AgentTurn } from '../ports/agent.ts'
import { agentInstalls } from './agent-programs.ts'
import { createCliAgent, type CliStart } from './cli-agent.ts'
import type { CliOptions } from './cli-program.ts'
import { asObject, listIn, numberIn, objectIn, textIn, type JsonObject } from './json-lines.ts'
import type { LoginOptions } from './own-login.ts'
import { noFacts, oneLine, shortened, type StreamReader } from './stream.ts'

/** Codex, as `codex exec`. */
export function createCodexAgent(options: CliOptions & LoginOptions): Agent {
  return createCliAgent(
    {
      name: 'codex',
      install: agentInstalls.codex,
      settingPrefix: 'NIGHTSHIFT_CODEX',
      login: {
        path: '.codex/auth.json',
        hosts: ['chatgpt.com', 'auth.openai.com', 'api.openai.com'],
      },
      conversationPaths: ['.codex/sessions'],
      providers: () => ['openai'],
      start,
      reader: createCodexReader,
    },
    options,
  )
}

const keyName = 'NIGHTSHIFT_MODEL_KEY'

function start(turn: AgentTurn): CliStart {
  const way = turn.ways.find(({ provider }) => provider === 'openai')
  const own = way === undefined ? [] : providerSettings(way.origin)
  return {
    args: [
      'exec',
      '--json',
      '--skip-git-repo-check',
      // The sandbox around it is ours; its own would need rights that it does not have in there.
      '--dangerously-bypass-approvals-and-sandbox',
      ...[...own, 'analytics.enabled=false', 'check_for_update_on_startup=false'].flatMap((setting) => [
        '-c',
        setting,
      ]),
      ...(turn.model === null ? [] : ['--model', turn.model]),
      ...(turn.conversation === null ? [] : ['resume', turn.conversation]),
      // The prompt comes on stdin, which must end: it waits for the end of one that stays open.
      '-',
    ],
    stdin: Buffer.from(turn.brief),
    env: way === undefined ? {} : { [keyName]: way.key },
  }
}

/** Settings in TOML: a provider of its own, since the built-in one takes no base URL for keys of the environment. */
function providerSettings(origin: string): string[] {
  const fields = [
    'name="nightshift"',
    `base_url="${origin}/v1"`,
    `env_key="${keyName}"`,
    'wire_api="responses"',
    // What takes longer than a few tries is for the queue to wait for.
    'request_max_retries=4',
    'stream_max_retries=4',
  ]
  return ['model_provider="nightshift"', `model_providers.nightshift={${fields.join(',')}}`]
}

/** Reads `codex exec --json`. */
export function createCodexReader(): StreamReader {
  const facts = noFacts()
  let lastMessage = ''
  return {
    facts,
    read(event) {
      switch (event['type']) {
        case 'thread.started':
          facts.conversation = textIn(event, 'thread_id')
          return []
        case 'turn.started':
        case 'item.started':
        case 'item.updated':
          return []
        case 'item.completed': {
          const item = objectIn(event, 'item')
          if (item['type'] === 'agent_message') lastMessage = textIn(item, 'text') ?? ''
          return itemEvents(item)
        }
        case 'error':
          return [{ kind: 'notice', text: oneLine(textIn(event, 'message') ?? 'an error') }]
        case 'turn.completed': {
          const usage = objectIn(event, 'usage')
          facts.inputTokens = numberIn(usage, 'input_tokens')
          facts.outputTokens = numberIn(usage, 'output_tokens')
          facts.final = { fault: null, loginRefused: false, text: lastMessage }
          return []
        }
        case 'turn.failed': {
          const fault = oneLine(textIn(objectIn(event, 'error'), 'message') ?? 'it says that it failed')
          const loginRefused = /\b(?:401|403) (?:Unauthorized|Forbidden)|invalid_api_key/i.test(fault)
          facts.final = { fault, loginRefused, text: lastMessage }
          return []
        }
        default:
          return null
      }
    },
  }
}

/** One thing that is done. Each but an error stands for an answer of the model, or a part of one. */
function itemEvents(item: JsonObject): AgentEvent[] | null {
  switch (item['type']) {
    case 'agent_message':
      return [{ kind: 'turn' }, { kind: 'message', text: textIn(item, 'text') ?? '' }]
    case 'command_execution': {
      const output = textIn(item, 'aggregated_output') ?? ''
      const ran: AgentEvent = { kind: 'tool', name: 'shell', detail: oneLine(textIn(item, 'command') ?? '') }
      return [
        { kind: 'turn' },
        ran,
        ...(output === '' ? [] : [{ kind: 'result' as const, text: shortened(output) }]),
      ]
    }
    case 'file_change':
      return [{ kind: 'turn' }, ...listIn(item, 'changes').map((change) => fileEvent(asObject(change) ?? {}))]
    case 'mcp_tool_call':
      return [
        { kind: 'turn' },
        { kind: 'tool', name: textIn(item, 'tool') ?? '?', detail: textIn(item, 'server') ?? '' },
      ]
    case 'web_search':
      return [
        { kind: 'turn' },
        { kind: 'tool', name: 'web search', detail: oneLine(textIn(item, 'query') ?? '') },
      ]
    case 'reasoning':
    case 'todo_list':
      return []
    case 'error':
      return [{ kind: 'notice', text: oneLine(textIn(item, 'message') ?? 'an error') }]
    default:
      return null
  }
}

function fileEvent(change: JsonObject): AgentEvent {
  const kind = change['kind']
  const action = kind === 'delete' ? 'delete' : kind === 'add' ? 'write' : 'edit'
  return { kind: 'file', path: textIn(change, 'path') ?? '?', action }
}
