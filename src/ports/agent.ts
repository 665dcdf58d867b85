import type { AgentEvidence } from '../model/evidence.ts'
import type { AgentName } from '../model/submission.ts'
import type { ExecEnd, OutputLine, Problem } from './runtime.ts'

/** One agent's command line: how it is called and what its stream means. Must not throw on any output. */
export interface Agent {
  readonly name: AgentName
  /** Never throws. What keeps it from working here: told before a task starts. */
  problems(): Promise<readonly Problem[]>
  /** The call of one round; round 0 is the work itself, the others are fix rounds. */
  call(turn: AgentTurn): AgentCall
}

export interface AgentTurn {
  readonly prompt: string
  readonly command: string | null
  readonly round: number
  /** What the gate found, in words, for a fix round. */
  readonly findings: string | null
}

export interface AgentCall {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly stdin?: Buffer
  /** Sees every line while it comes. */
  onLine?(line: OutputLine): void
  /** How the agent ended, judged once the process has. */
  end(exec: ExecEnd): AgentEnd
}

export interface AgentEnd {
  readonly ok: boolean
  /** Why it is not ok, as a clause: `it exited with code 3`. */
  readonly fault: string | null
  readonly evidence: AgentEvidence
}
