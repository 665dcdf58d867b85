import { agentLine, type AgentEvent } from '../../model/agent-event.ts'
import type { Step } from '../../model/event.ts'
import type { Network } from '../../model/network.ts'
import type { AgentName } from '../../model/submission.ts'
import type { AgentCall, AgentEnd } from '../../ports/agent.ts'
import type { GatewayStop } from '../../ports/gateway.ts'
import type { ExecEnd, Sandbox } from '../../ports/runtime.ts'
import { Parked, taskEnvironment, type Attempt } from '../attempt.ts'
import { persist } from '../persist.ts'
import { quotaReason } from '../sentences.ts'
import { Stop, type Reason } from '../reasons.ts'
import type { AgentAccess } from './agent-access.ts'
import { placeFiles } from './home-files.ts'

/** One call of an agent: the work itself, a fix round, a review. */
export interface TurnPlan {
  readonly sandbox: Sandbox
  readonly call: AgentCall
  readonly access: AgentAccess
  readonly step: Step
  readonly network: Network
  /** What it may know beside its task. */
  readonly env?: Readonly<Record<string, string>>
}

export interface EndedTurn {
  readonly exec: ExecEnd
  readonly end: AgentEnd
  /** Why it was ended before its time, as a clause; `null`: it was not. */
  readonly cut: string | null
}

/** Runs an agent once, shows what it does, and ends it where it takes too many turns or waits for an answer. */
export async function runTurn(attempt: Attempt, plan: TurnPlan): Promise<EndedTurn> {
  const { claimed, journal, signal, parts } = attempt
  const { sandbox, call, access, step } = plan
  const { options } = claimed
  await placeFiles(sandbox, [...(call.files ?? []), ...access.takeFiles()], signal)
  const cutting = new AbortController()
  let turns = 0
  const heed = (event: AgentEvent) => {
    if (event.kind === 'turn' && ++turns > parts.maxTurns) {
      cutting.abort(`it took more than ${parts.maxTurns} turns, which is its limit`)
    }
    // Nobody is there to answer: it would wait until its time is over.
    if (event.kind === 'question') cutting.abort(`it asked a question and waited: ${event.text}`)
  }
  const exec = await sandbox.exec({
    argv: call.argv,
    env: { ...taskEnvironment(attempt), ...call.env, ...plan.env },
    ...(call.stdin === undefined ? {} : { stdin: call.stdin }),
    network: access.widen(plan.network),
    relays: access.relays,
    signal: AbortSignal.any([signal, cutting.signal, ...access.stopping]),
    timeoutMs: options.timeoutMs,
    silenceMs: options.silenceMs,
    onNote: (text) => journal.note(step, text),
    manyLines: call.read === null,
    onLine: (line) => {
      const events = call.read?.(line) ?? null
      if (events === null) journal.output(step, line.text)
      for (const event of events ?? []) {
        heed(event)
        const shown = agentLine(event)
        if (shown !== null) journal.output(step, shown, { ...event })
      }
    },
  })
  return { exec, end: call.end(exec), cut: cutting.signal.aborted ? String(cutting.signal.reason) : null }
}

/** Resolves where the turn was good; everything else is thrown. */
export async function judgeTurn(
  attempt: Attempt,
  agent: AgentName,
  { exec, end, cut }: EndedTurn,
  access: AgentAccess,
): Promise<void> {
  if (attempt.signal.aborted && exec.kind === 'aborted') throw attempt.signal.reason
  const gaveUp = exec.kind === 'exited' && end.fault?.kind === 'failed' && cut === null
  const stop = gaveUp ? access.givenUp() : access.stop()
  // A quota that ran out with its last answer is the next task's matter.
  const done = exec.kind === 'exited' && end.fault === null && cut === null
  if (stop !== null && !(done && stop.kind === 'quota')) await stopFor(attempt, agent, stop)
  if (cut !== null) throw new Stop({ kind: 'agent_failed', fault: cut })
  const limit = limitReason(attempt, exec)
  if (limit !== null) throw new Stop(limit)
  if (end.fault === null) return
  const { kind, how } = end.fault
  switch (kind) {
    case 'failed':
      throw new Stop({ kind: 'agent_failed', fault: how })
    case 'login':
    case 'not_started':
      throw new Stop({ kind: 'agent_unusable', agent, how })
    default:
      kind satisfies never
  }
}

async function stopFor({ parts }: Attempt, agent: AgentName, stop: GatewayStop): Promise<never> {
  switch (stop.kind) {
    case 'over_budget':
      throw new Stop(stop)
    case 'price_unknown':
      throw new Stop(stop)
    case 'login_refused':
      throw new Stop({ kind: 'agent_unusable', agent, how: stop.message })
    case 'quota': {
      const { account, delayMs } = stop
      const reason = quotaReason(stop)
      // First the account: were this process to die in between, one more task would run into the same wall.
      await persist(parts, () => parts.store.holdAccount(account, { reason, delayMs }))
      throw new Parked({ hold: 'quota', reason, delayMs })
    }
    default:
      return stop satisfies never
  }
}

function limitReason(attempt: Attempt, exec: ExecEnd): Reason | null {
  const { options } = attempt.claimed
  switch (exec.kind) {
    case 'exited':
      return null
    case 'timed_out':
      return { kind: 'timed_out', timeoutMs: options.timeoutMs }
    case 'silent':
      return { kind: 'agent_silent', silenceMs: options.silenceMs }
    case 'out_of_memory':
      return { kind: 'out_of_memory', step: 'agent', memoryBytes: attempt.parts.limits.memoryBytes }
    case 'aborted':
      return { kind: 'agent_failed', fault: 'it was cut short' }
    default:
      return exec.kind satisfies never
  }
}
