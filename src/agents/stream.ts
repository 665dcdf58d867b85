import type { AgentEvent } from '../model/agent-event.ts'
import type { AgentFault } from '../ports/agent.ts'
import type { ExecEnd } from '../ports/runtime.ts'
import type { JsonObject } from './json-lines.ts'

/** What a stream has told so far; filled by its reader. */
export interface StreamFacts {
  /** By what the conversation is taken up again. */
  conversation: string | null
  version: string | null
  /** The model that it says it talks to. */
  model: string | null
  turns: number
  inputTokens: number | null
  outputTokens: number | null
  costUsd: number | null
  /** Its own last word on how it went; `null`: none came. */
  final: FinalWord | null
}

export interface FinalWord {
  /** `null`: it says that it ended well. */
  readonly fault: string | null
  /** The fault is that the provider refused the login. */
  readonly loginRefused: boolean
  /** Its answer to the person. */
  readonly text: string
}

/** What the events of one agent's stream mean. Never throws. */
export interface StreamReader {
  readonly facts: StreamFacts
  /** `null`: an event that it does not know. */
  read(event: JsonObject): readonly AgentEvent[] | null
}

export function noFacts(): StreamFacts {
  return {
    conversation: null,
    version: null,
    model: null,
    turns: 0,
    inputTokens: null,
    outputTokens: null,
    costUsd: null,
    final: null,
  }
}

const notStartedCodes: ReadonlySet<number | null> = new Set([126, 127])

/** Whether a round went well: a good final event and words that are not empty. Exit code 0 proves nothing. */
export function judgeStream(exec: ExecEnd, facts: StreamFacts): AgentFault | null {
  const { final } = facts
  const said = lastWords(exec)
  if (final === null) {
    const began = facts.turns > 0 || facts.conversation !== null
    if (!began && notStartedCodes.has(exec.exitCode)) {
      return { kind: 'not_started', how: `it could not be started in the sandbox${said}` }
    }
    const code = exec.exitCode === 0 ? '' : `, and it exited with code ${exec.exitCode ?? 'none'}`
    return { kind: 'failed', how: `its stream was cut: no final event came${code}${said}` }
  }
  if (final.fault !== null) return { kind: final.loginRefused ? 'login' : 'failed', how: final.fault }
  if (exec.exitCode !== 0) {
    return { kind: 'failed', how: `it exited with code ${exec.exitCode ?? 'none'}${said}` }
  }
  if (final.text.trim() === '') return { kind: 'failed', how: 'its answer was empty' }
  return null
}

/** The last line on stderr, in brackets. */
export function lastWords(exec: ExecEnd): string {
  const line = exec.stderrTail.trim().split('\n').at(-1)?.slice(-200)
  return line === undefined || line === '' ? '' : ` (${line})`
}

/** As much of a text as belongs into a log. */
export function shortened(text: string, maxChars = 2000): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars)}…`
}

/** A text in one line. */
export function oneLine(text: string, maxChars = 300): string {
  return shortened(text.trim().replaceAll(/\s*\n\s*/g, ' ⏎ '), maxChars)
}
