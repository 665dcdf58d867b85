import type { AgentEvent } from '../model/agent-event.ts'
import type { AgentEvidence } from '../model/evidence.ts'
import type { AgentName } from '../model/submission.ts'
import type { ProviderName } from './gateway.ts'
import type { ExecEnd, FoundProgram, NpmProgram, OutputLine, Problem } from './runtime.ts'

/** One agent's command line: how it is called and what its stream means. Must not throw on any output. */
export interface Agent {
  readonly name: AgentName
  /** How its command line comes to where it is missing; `null`: there is none of its own. */
  readonly install: NpmProgram | null
  /** What it needs to take up its conversation again: paths below HOME inside; empty: it cannot. */
  readonly conversationPaths: readonly string[]
  /** Never throws. What keeps it from working on this machine, its login apart: told before a task starts. Quick. */
  problems(): Promise<readonly Problem[]>
  /** Where its command line is on this machine; `null`: it has none, or it is not there. Never throws. */
  program(): Promise<FoundProgram | null>
  /** Whether it can do nothing without a login for one of its providers. */
  readonly needsLogin: boolean
  /** Its command line's own login, which goes into the sandbox because the operator asked for it; `null`: nothing does. */
  readonly ownLogin: AgentLogin | null
  /** The providers that it talks to; more than one where only its command knows. Empty: none that we know of. */
  providers(model: string | null): readonly ProviderName[]
  /** The call of one round; round 0 is the work itself, the others are fix rounds. */
  call(turn: AgentTurn): AgentCall
}

/** A file that an agent finds where its command line keeps it, and that goes around the gateway. */
export interface AgentLogin {
  /** Below HOME inside. */
  readonly path: string
  /** Whom it is for: the agent may reach them. */
  readonly hosts: readonly string[]
  /** Its text as it is now. Rejects where it cannot be read. */
  read(): Promise<string>
}

export interface AgentTurn {
  /** What the person asked for, verbatim. */
  readonly prompt: string
  /** What the gate found, in words, for a fix round. */
  readonly findings: string | null
  /** The same with the rules of the gate around it, for an agent that reads text. */
  readonly brief: string
  readonly command: string | null
  readonly model: string | null
  readonly round: number
  /** The program to start: a path, or a bare name where an image brings it; `null`: see `command`. */
  readonly program: string | null
  /** The conversation to go on with, as {@link AgentEnd} named it; `null`: begin one. */
  readonly conversation: string | null
  /** How the providers of {@link Agent.providers} are reached from inside. */
  readonly ways: readonly ModelWay[]
  /** Answers of the model that it may take in this round. */
  readonly maxTurns: number
}

/** A provider's API, as the agent sees it. */
export interface ModelWay {
  readonly provider: ProviderName
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly origin: string
  /** A key that is good for this task alone. */
  readonly key: string
}

export interface AgentCall {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly stdin?: Buffer
  /** Files that it is given: paths below HOME inside. */
  readonly files?: readonly { readonly path: string; readonly content: string }[]
  /**
   * Sees every line while it comes. `null`: the line means nothing to the adapter, and is shown as it is; in place of the
   * function: no line means anything.
   */
  readonly read: ((line: OutputLine) => readonly AgentEvent[] | null) | null
  /** How the agent ended, judged once the process has. */
  end(exec: ExecEnd): AgentEnd
}

export interface AgentEnd {
  /** `null`: a good final event, and words that are not empty. */
  readonly fault: AgentFault | null
  /** Its answer to people; `null`: it gives none apart from its output. */
  readonly text: string | null
  /** Of this round alone. */
  readonly evidence: AgentEvidence
  /** By what its conversation is taken up again; `null`: it cannot be. */
  readonly conversation: string | null
}

/** Why a round was no good, as a clause: `it exited with code 3`. */
export type AgentFault =
  | { kind: 'failed'; how: string }
  /** Its provider refused the login, or there is none. */
  | { kind: 'login'; how: string }
  /** It could not be started at all. */
  | { kind: 'not_started'; how: string }
