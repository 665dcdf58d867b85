import type { AgentEvent } from '../model/agent-event.ts'
import type { AgentName } from '../model/submission.ts'
import type { Agent, AgentCall, AgentEnd, AgentTurn } from '../ports/agent.ts'
import type { ExecEnd, NpmProgram, OutputLine } from '../ports/runtime.ts'
import { CliProgram, type CliOptions } from './cli-program.ts'
import { JsonLines } from './json-lines.ts'
import { loginProblems, ownLogin, type LoginOptions } from './own-login.ts'
import { judgeStream, type StreamReader } from './stream.ts'

/** What one agent's command line has of its own. */
export interface CliDescription extends Pick<Agent, 'conversationPaths' | 'providers'> {
  readonly name: AgentName
  readonly install: NpmProgram
  /** The variables by which a person names its path and its file of a login begin with this, e.g. `NIGHTSHIFT_CODEX`. */
  readonly settingPrefix: string
  /** Where it keeps its login, below HOME, and whom it talks to with that. */
  readonly login: { readonly path: string; readonly hosts: readonly string[] }
  /** How it is started; its program stands before the arguments. */
  start(turn: AgentTurn): CliStart
  reader(turn: AgentTurn): StreamReader
}

export interface CliStart extends Pick<AgentCall, 'env' | 'stdin' | 'files'> {
  readonly args: readonly string[]
}

/** An agent that is a command line with a stream of JSON lines on stdout. */
export function createCliAgent(description: CliDescription, options: CliOptions & LoginOptions): Agent {
  const { name, install, conversationPaths, settingPrefix } = description
  const program = new CliProgram(install, `${settingPrefix}_BIN`, options)
  const login = ownLogin(description.login, options)
  return {
    name,
    install,
    conversationPaths,
    needsLogin: login === null,
    ownLogin: login,
    problems: () =>
      Promise.resolve([
        ...program.problems(),
        ...loginProblems(`${settingPrefix}_LOGIN_FILE`, options.loginFile),
      ]),
    program: () => program.find(),
    providers: (model) => (login === null ? description.providers(model) : []),
    call(turn) {
      const { args, ...start } = description.start(turn)
      const reader = description.reader(turn)
      const lines = new JsonLines()
      return {
        ...start,
        argv: [turn.program ?? install.bin, ...args],
        read: (line) => readLine(line, lines, reader),
        end: (exec) => endOf(name, exec, reader),
      }
    },
  }
}

/** What one line of an agent's output tells. */
export function readLine(
  line: OutputLine,
  lines: JsonLines,
  reader: StreamReader,
): readonly AgentEvent[] | null {
  if (line.stream === 'stderr') return null
  const event = lines.read(line.text)
  if (event === 'partial') return []
  if (event === null) return null
  const events = reader.read(event)
  for (const each of events ?? []) if (each.kind === 'turn') reader.facts.turns += 1
  return events
}

/** How a round ended, by what its stream has told. */
export function endOf(name: AgentName, exec: ExecEnd, { facts }: StreamReader): AgentEnd {
  const { turns, inputTokens, outputTokens, costUsd, version, model, conversation } = facts
  return {
    text: facts.final?.text ?? null,
    fault: judgeStream(exec, facts),
    evidence: {
      name,
      version,
      ...(model === null ? {} : { model }),
      exitCode: exec.exitCode,
      turns,
      inputTokens,
      outputTokens,
      costUsd,
    },
    conversation,
  }
}
