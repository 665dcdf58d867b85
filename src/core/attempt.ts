import type { Evidence } from '../model/evidence.ts'
import type { Step } from '../model/event.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Policy } from '../model/policy/schema.ts'
import type { RegistryName } from '../model/repository-file/network-section.ts'
import type { AgentName } from '../model/submission.ts'
import type { Agent } from '../ports/agent.ts'
import type { Clock } from '../ports/clock.ts'
import type { Forge } from '../ports/forge.ts'
import type { Gateway } from '../ports/gateway.ts'
import type { CommitIdentity, Publisher } from '../ports/publisher.ts'
import type { Runtime, SandboxLimits } from '../ports/runtime.ts'
import type { AttemptTrace, Tracing } from '../ports/tracing.ts'
import type { SecretScanner } from '../ports/secret-scanner.ts'
import type { ClaimedTask, Parking } from '../ports/lease.ts'
import type { TaskStore } from '../ports/task-store.ts'
import type { Journal } from './journal.ts'
import { Stop } from './reasons.ts'

/** What every pipeline of this process shares. */
export interface PipelineParts {
  readonly store: TaskStore
  readonly publisher: Publisher
  /** In the order of preference; the first that the task allows is taken. */
  readonly runtimes: readonly Runtime[]
  readonly agents: ReadonlyMap<AgentName, Agent>
  readonly gateway: Gateway
  /** Where pull requests live; `null`: every repository is a plain git remote. */
  readonly forge: Forge | null
  readonly proposals: ProposalSettings
  /** Answers of its model that an agent may take in one round. */
  readonly maxTurns: number
  readonly clock: Clock
  readonly limits: SandboxLimits
  readonly author: Pick<CommitIdentity, 'authorName' | 'authorEmail'>
  /** Finds the hosts of a package registry; `null`: its tool does not tell. */
  readonly registries: (name: RegistryName) => Promise<readonly string[] | null>
  readonly scanSecrets: SecretScanner
  /** Laid over every repository's own policy; `null`: there is none. */
  readonly operatorPolicy: Policy | null
  /** Says why a repository may not ask for a host; `null`: it may. */
  readonly refusedHost: (host: string) => string | null
  /** Whether a database error may pass. */
  readonly isTransient: (error: unknown) => boolean
  readonly mask: (text: string) => string
  readonly tracing: Tracing
}

/** What every pull request gets beside its title and body. */
export interface ProposalSettings {
  readonly draft: boolean
  readonly labels: readonly string[]
  /** Logins of people who are asked to review. */
  readonly reviewers: readonly string[]
  /** Logins of people whose reviews and comments count; nobody else's words reach an agent. */
  readonly heeded: readonly string[]
}

/** One run of the pipeline: what it works on, and what it has found out so far. */
export interface Attempt {
  readonly parts: PipelineParts
  readonly claimed: ClaimedTask
  readonly runtime: Runtime
  readonly agent: Agent
  readonly journal: Journal
  readonly trace: AttemptTrace
  /** Aborts with an {@link Interruption} as its reason. */
  readonly signal: AbortSignal
  /** Its number among several at the same work, from 1. */
  readonly candidate?: number
  /** Grows step by step; settled as it stands whatever happens. */
  evidence: Evidence
  /** The diff of the last work that was handed over. */
  diff: Buffer | null
  /** What its task was settled with; `null`: it is not. */
  outcome: Outcome | null
}

/** What every command in a sandbox may know of its task. */
export function taskEnvironment({ claimed, candidate }: Attempt): Readonly<Record<string, string>> {
  return {
    NIGHTSHIFT_TASK: claimed.lease.taskId,
    NIGHTSHIFT_ATTEMPT: String(claimed.lease.attempt),
    ...(candidate === undefined ? {} : { NIGHTSHIFT_CANDIDATE: String(candidate) }),
  }
}

/** Why a running attempt has to stop. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
  readonly why: 'cancelled' | 'timed_out' | 'drained' | 'lease_lost'

  constructor(why: Interruption['why']) {
    super(why)
    this.why = why
  }
}

/** The task has to wait for something outside, without holding a slot: it is claimed again later. */
export class Parked extends Error {
  override readonly name = 'Parked'
  readonly parking: Parking

  constructor(parking: Parking) {
    super(parking.reason)
    this.parking = parking
  }
}

/** Once the push has begun, time limit and cancellation have to wait: only the remote says how it ended. */
const uninterrupted: ReadonlySet<Step> = new Set(['push', 'confirm', 'settle'])

/**
 * Runs one step between its two events. A step that was interrupted says so, whatever error it died of; one that cannot
 * be interrupted tells its own error, since what it left on the remote has to be looked at again.
 */
export async function inStep<T>(attempt: Attempt, step: Step, work: () => Promise<T>): Promise<T> {
  const { journal, signal, parts } = attempt
  const interruptible = !uninterrupted.has(step)
  if (interruptible) signal.throwIfAborted()
  const startedMs = parts.clock.monotonicMs()
  journal.stepStarted(step)
  const traceEnd = attempt.trace.step(step)
  try {
    const result = await work()
    traceEnd(null)
    journal.stepEnded(step, parts.clock.monotonicMs() - startedMs, null)
    return result
  } catch (error) {
    const interrupted =
      interruptible && signal.aborted && !(error instanceof Stop) && !(error instanceof Parked)
    const shown: unknown = interrupted ? signal.reason : error
    const message = shown instanceof Error ? shown.message : String(shown)
    journal.stepEnded(step, parts.clock.monotonicMs() - startedMs, message)
    traceEnd(parts.mask(message))
    throw shown
  }
}
