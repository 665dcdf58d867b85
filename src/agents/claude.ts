import type { AgentEvent } from '../model/agent-event.ts'
import type { Agent, AgentTurn } from '../ports/agent.ts'
import { agentInstalls } from './agent-programs.ts'
import { createCliAgent, type CliStart } from './cli-agent.ts'
import type { CliOptions } from './cli-program.ts'
import { asObject, listIn, numberIn, objectIn, textIn, type JsonObject } from './json-lines.ts'
import type { LoginOptions } from './own-login.ts'
import { noFacts, oneLine, shortened, type FinalWord, type StreamReader } from './stream.ts'

/** Claude Code, in its print mode. Facts about it were measured with the version that `install` names. */
export function createClaudeAgent(options: CliOptions & LoginOptions): Agent {
  return createCliAgent(
    {
      name: 'claude',
      install: agentInstalls.claude,
      settingPrefix: 'NIGHTSHIFT_CLAUDE',
      login: {
        path: '.claude/.credentials.json',
        hosts: ['api.anthropic.com', 'console.anthropic.com', 'platform.claude.com'],
      },
      // Its conversations, keyed by the path of the clone.
      conversationPaths: ['.claude/projects'],
      providers: () => ['anthropic'],
      start,
      reader: createClaudeReader,
    },
    options,
  )
}

function start(turn: AgentTurn): CliStart {
  const way = turn.ways.find(({ provider }) => provider === 'anthropic')
  return {
    args: [
      '-p',
      '--output-format',
      'stream-json',
      '--verbose',
      '--permission-mode',
      'bypassPermissions',
      '--max-turns',
      String(turn.maxTurns),
      ...(turn.model === null ? [] : ['--model', turn.model]),
      ...(turn.conversation === null ? [] : ['--resume', turn.conversation]),
    ],
    // As an argument it could be at most 128 KiB long, and everybody on the machine could read it.
    stdin: Buffer.from(turn.brief),
    env: {
      ...(way === undefined ? {} : { ANTHROPIC_BASE_URL: way.origin, [keyVariable(way.key)]: way.key }),
      // It refuses to skip permissions as root unless told that it is boxed in; inside it never is root, but may think so.
      IS_SANDBOX: '1',
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      // By default it repeats a request for three minutes; what takes longer than this is for the queue to wait for.
      CLAUDE_CODE_MAX_RETRIES: '4',
    },
  }
}

/** A key that stands for Claude Code's long-lived token has to come as one, since requests look different then. */
function keyVariable(key: string): string {
  return key.startsWith('sk-ant-oat') ? 'CLAUDE_CODE_OAUTH_TOKEN' : 'ANTHROPIC_API_KEY'
}

/** Reads `--output-format stream-json`. */
export function createClaudeReader(): StreamReader {
  const facts = noFacts()
  const answers = new Set<string>()

  function assistant(event: JsonObject): AgentEvent[] {
    const message = objectIn(event, 'message')
    const id = textIn(message, 'id') ?? ''
    // Its own words about a failed request come as a message, too.
    const isModel = textIn(message, 'model') !== '<synthetic>'
    const isNew = isModel && !answers.has(id)
    answers.add(id)
    const parts = listIn(message, 'content').flatMap((part) => partOf(asObject(part) ?? {}))
    return isNew ? [{ kind: 'turn' }, ...parts] : parts
  }

  return {
    facts,
    read(event) {
      facts.conversation = textIn(event, 'session_id') ?? facts.conversation
      switch (event['type']) {
        case 'system':
          facts.version = textIn(event, 'claude_code_version') ?? facts.version
          facts.model = textIn(event, 'model') ?? facts.model
          return systemEvents(event)
        case 'assistant':
          return assistant(event)
        case 'user':
          return resultsOf(event)
        case 'result': {
          const usage = objectIn(event, 'usage')
          facts.inputTokens = numberIn(usage, 'input_tokens')
          facts.outputTokens = numberIn(usage, 'output_tokens')
          facts.costUsd = numberIn(event, 'total_cost_usd')
          facts.final = finalWord(event)
          return []
        }
        default:
          return null
      }
    },
  }
}

function systemEvents(event: JsonObject): AgentEvent[] | null {
  switch (event['subtype']) {
    case 'init':
      return []
    case 'api_retry': {
      const status = numberIn(event, 'error_status')
      const why = status === null ? 'the connection failed' : `the provider answered ${status}`
      return [{ kind: 'notice', text: `${why}: the request is tried again` }]
    }
    default:
      return null
  }
}

function partOf(part: JsonObject): AgentEvent[] {
  switch (part['type']) {
    case 'text': {
      const text = textIn(part, 'text') ?? ''
      return text === '' ? [] : [{ kind: 'message', text }]
    }
    case 'tool_use':
      return [toolOf(textIn(part, 'name') ?? '?', objectIn(part, 'input'))]
    default:
      return []
  }
}

function toolOf(name: string, input: JsonObject): AgentEvent {
  const path = textIn(input, 'file_path') ?? textIn(input, 'notebook_path')
  switch (name) {
    case 'Write':
      return { kind: 'file', path: path ?? '?', action: 'write' }
    case 'Edit':
    case 'MultiEdit':
    case 'NotebookEdit':
      return { kind: 'file', path: path ?? '?', action: 'edit' }
    case 'AskUserQuestion': {
      const questions = listIn(input, 'questions').map((each) => textIn(asObject(each) ?? {}, 'question'))
      return { kind: 'question', text: oneLine(questions.join(' ')) }
    }
    default: {
      const detail = textIn(input, 'command') ?? path ?? textIn(input, 'pattern') ?? JSON.stringify(input)
      return { kind: 'tool', name, detail: oneLine(detail) }
    }
  }
}

function resultsOf(event: JsonObject): AgentEvent[] {
  return listIn(objectIn(event, 'message'), 'content').flatMap((each) => {
    const part = asObject(each) ?? {}
    if (part['type'] !== 'tool_result') return []
    const texts = [
      textIn(part, 'content'),
      ...listIn(part, 'content').map((one) => textIn(asObject(one) ?? {}, 'text')),
    ]
    const text = texts.filter((one) => one !== null).join('\n')
    return text === '' ? [] : [{ kind: 'result' as const, text: shortened(text) }]
  })
}

/** `subtype` says success even where the API refused; `is_error` does not. */
function finalWord(event: JsonObject): FinalWord {
  const text = textIn(event, 'result') ?? ''
  if (event['is_error'] !== true) return { fault: null, loginRefused: false, text }
  const status = numberIn(event, 'api_error_status')
  const errors = listIn(event, 'errors').filter((error) => typeof error === 'string')
  const said = [text, ...errors].filter((words) => words !== '').join('; ')
  const fault = oneLine(said === '' ? (textIn(event, 'subtype') ?? 'it says that it failed') : said)
  return { fault, loginRefused: status === 401 || status === 403, text }
}
