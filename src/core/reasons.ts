import type { CheckResult, Violation } from '../model/evidence.ts'
import type { Step } from '../model/event.ts'
import type { Outcome } from '../model/outcome.ts'
import type { AgentName } from '../model/submission.ts'
import type { ForgeFault } from '../ports/forge.ts'
import type { RemoteFault } from '../ports/publisher.ts'
import type { Problem } from '../ports/runtime.ts'
import type { BudgetScope } from '../ports/spend.ts'
import { sentence } from './sentences.ts'

/** Why a task ended otherwise than well. One kind a cause; the facts are fields, the words are below. */
export type Reason =
  | { kind: 'remote'; fault: RemoteFault; repo: string; branch: string | null; message: string }
  | { kind: 'repository_file_invalid'; faults: readonly string[] }
  | { kind: 'host_refused'; message: string }
  | { kind: 'image_unusable'; message: string }
  | { kind: 'setup_failed'; on: 'base' | 'head'; command: string; how: string; outputTail: string }
  | { kind: 'agent_failed'; fault: string }
  | { kind: 'agent_silent'; silenceMs: number }
  /** Something is missing on this machine; found before anything was done. */
  | { kind: 'agent_unavailable'; agent: AgentName; problems: readonly Problem[] }
  /** It could not be started, or its login was refused. */
  | { kind: 'agent_unusable'; agent: AgentName; how: string }
  | { kind: 'over_budget'; scope: BudgetScope; capUsd: number; spentUsd: number }
  | { kind: 'price_unknown'; model: string }
  | { kind: 'out_of_memory'; step: Step; memoryBytes: number }
  | { kind: 'nothing_changed' }
  | { kind: 'clone_unusable'; how: string }
  | { kind: 'work_unusable'; message: string }
  | { kind: 'work_too_large'; maxBytes: number }
  | { kind: 'policy_broken'; violations: readonly Violation[] }
  | { kind: 'checks_failed'; failed: readonly CheckResult[] }
  | { kind: 'branch_taken'; branch: string; repo: string }
  | { kind: 'push_refused'; message: string }
  | { kind: 'forge'; fault: ForgeFault; repo: string; message: string }
  | { kind: 'proposal_refused'; message: string }
  | { kind: 'pull_request_closed'; url: string }
  | { kind: 'branch_deleted'; branch: string; url: string }
  | { kind: 'forge_checks_failed'; failed: readonly string[]; url: string }
  | { kind: 'review_unusable'; fault: string }
  | { kind: 'needs_conflict'; branches: readonly string[]; files: readonly string[] }
  | { kind: 'conflict'; files: readonly string[]; base: string; sha: string; fault: string }
  | { kind: 'timed_out'; timeoutMs: number }
  | { kind: 'cancelled' }
  | { kind: 'machinery'; message: string }

/** The task ends here, for a reason that trying again would not change. */
export class Stop extends Error {
  override readonly name = 'Stop'
  readonly reason: Reason

  constructor(reason: Reason) {
    super(sentence(reason))
    this.reason = reason
  }
}

/** The outcome that a reason leads to. */
export function outcomeOf(reason: Reason): Outcome {
  switch (reason.kind) {
    case 'remote':
      return reason.fault === 'unreachable' ? 'error' : 'invalid'
    case 'repository_file_invalid':
    case 'host_refused':
    case 'image_unusable':
    case 'branch_taken':
    case 'push_refused':
    case 'forge':
    case 'proposal_refused':
    case 'agent_unavailable':
    case 'agent_unusable':
    case 'price_unknown':
      return 'invalid'
    case 'over_budget':
      return 'over_budget'
    case 'pull_request_closed':
    case 'branch_deleted':
      return 'closed'
    case 'forge_checks_failed':
      return 'checks_failed'
    case 'review_unusable':
      return 'agent_failed'
    case 'conflict':
    case 'needs_conflict':
      return 'conflict'
    case 'setup_failed':
      return reason.on === 'base' ? 'invalid' : 'checks_failed'
    case 'agent_failed':
    case 'agent_silent':
    case 'nothing_changed':
    case 'clone_unusable':
    case 'work_unusable':
      return 'agent_failed'
    case 'out_of_memory':
      return reason.step === 'agent' ? 'agent_failed' : reason.step === 'checks' ? 'checks_failed' : 'invalid'
    case 'work_too_large':
    case 'policy_broken':
      return 'rejected'
    case 'checks_failed':
      return 'checks_failed'
    case 'timed_out':
      return 'timed_out'
    case 'cancelled':
      return 'cancelled'
    case 'machinery':
      return 'error'
    default:
      return reason satisfies never
  }
}
