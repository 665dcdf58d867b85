import { lineupOf, takesCommand } from '../model/lineup.ts'
import type { AgentName, RuntimeName } from '../model/submission.ts'
import type { Door } from '../ports/repositories.ts'
import type { Asked } from './judge-submission.ts'
import type { FieldFault, SubmitContext } from './submit.ts'

/** What fields of the right shape say together that cannot be done here. */
export function meaningFaults(context: SubmitContext, asked: Asked, door: Door): FieldFault[] {
  return [
    ...agentFaults(asked, context.agents),
    ...networkFaults(asked, door, context.refusedHost),
    ...runtimeFaults(asked, context.runtimes),
    ...reviewFaults(asked, context.agents),
    ...judgeFaults(asked, context.agents),
  ]
}

/** Every agent that works has to be there, with a command where it takes one, and without where it takes none. */
function agentFaults(asked: Asked, available: readonly AgentName[]): FieldFault[] {
  const { own, lineup } = lineupOf(asked)
  const byCandidate = (lineup ?? []).flatMap(({ agent, command }, index) =>
    workerFaults(agent, command !== null, `candidates[${index}].`, '', available),
  )
  const isNamed = asked.agent !== undefined || asked.command !== undefined
  // What no candidate takes from it is not asked for.
  if (lineup !== null && (!isNamed || byCandidate.length > 0)) return byCandidate
  const hint = asked.agent === undefined ? ' (the default, since no command was given)' : ''
  const hasCommand = asked.command !== undefined || (lineup !== null && takesCommand(own.agent))
  return [...workerFaults(own.agent, hasCommand, '', hint, available), ...byCandidate]
}

function workerFaults(
  agent: AgentName,
  hasCommand: boolean,
  place: string,
  hint: string,
  available: readonly AgentName[],
): FieldFault[] {
  if (!available.includes(agent)) {
    const message = `${agent}${hint} is not available in this version; available: ${available.join(', ')}`
    return [{ field: `${place}agent`, message }]
  }
  if (takesCommand(agent) && !hasCommand) {
    return [{ field: `${place}command`, message: `is needed by the agent ${agent}: a shell command` }]
  }
  if (!takesCommand(agent) && hasCommand) {
    const message = `does not go with the agent ${agent}; leave one of the two out`
    return [{ field: `${place}command`, message }]
  }
  return []
}

/** Whoever reviews has to be there, and a command reviews only by a command of its own. */
function reviewFaults(asked: Asked, available: readonly AgentName[]): FieldFault[] {
  const faults = readerFaults(asked, 'reviewer', 'reviewCommand', available)
  if (faults.length > 0 || asked.reviewer !== undefined || asked.reviewCommand !== undefined) return faults
  const { agent } = lineupOf(asked).own
  if (asked.merge !== 'review' || !takesCommand(agent)) return []
  const message = `must be checks or never, or say who reviews: the agent ${agent} cannot; give a reviewer or a reviewCommand`
  return [{ field: 'merge', message }]
}

/** The same of whoever judges candidates. */
function judgeFaults(asked: Asked, available: readonly AgentName[]): FieldFault[] {
  const faults = readerFaults(asked, 'judge', 'judgeCommand', available)
  if (faults.length > 0) return faults
  const { keep, judge, judgeCommand } = asked
  const isNamed = judge !== undefined || judgeCommand !== undefined
  if (isNamed && keep !== undefined && keep !== 'judge') {
    return [{ field: 'keep', message: `${keep} goes without a judge: leave one of the two out` }]
  }
  const { agent } = lineupOf(asked).own
  if (keep !== 'judge' || isNamed || !takesCommand(agent)) return []
  const message = `judge needs to know who that is: the agent ${agent} cannot; give a judge or a judgeCommand`
  return [{ field: 'keep', message }]
}

/** Of an agent that only reads: it has to be there, with a command of its own where it takes one. */
function readerFaults(
  asked: Asked,
  who: 'reviewer' | 'judge',
  how: 'reviewCommand' | 'judgeCommand',
  available: readonly AgentName[],
): FieldFault[] {
  const { [who]: agent, [how]: command } = asked
  if (agent === undefined) return []
  if (takesCommand(agent)) {
    if (command !== undefined) return []
    return [{ field: how, message: `is needed by the ${who} ${agent}: a shell command` }]
  }
  if (command !== undefined) {
    return [{ field: how, message: `does not go with the ${who} ${agent}; leave one of the two out` }]
  }
  if (available.includes(agent)) return []
  return [{ field: who, message: `${agent} is not available; available: ${available.join(', ')}` }]
}

function runtimeFaults({ runtime }: Asked, available: readonly RuntimeName[]): FieldFault[] {
  if (runtime === undefined || runtime === 'auto' || available.includes(runtime)) return []
  return [
    {
      field: 'runtime',
      message:
        runtime === 'dagger'
          ? 'dagger is not set up here: name an engine in _EXPERIMENTAL_DAGGER_RUNNER_HOST or NIGHTSHIFT_ENGINES'
          : `${runtime} is not available here; available: auto, ${available.join(', ')}`,
    },
  ]
}

function networkFaults(asked: Asked, door: Door, refusedHost: SubmitContext['refusedHost']): FieldFault[] {
  const network = asked.network
  if (network === undefined || network.kind === 'none') return []
  if (network.kind === 'full') {
    if (door === 'terminal') return []
    return [
      { field: 'network', message: 'full is for the command run alone; name the hosts that are needed' },
    ]
  }
  return network.hosts.flatMap((host) => {
    const why = refusedHost(host)
    return why === null ? [] : [{ field: 'network', message: why }]
  })
}
