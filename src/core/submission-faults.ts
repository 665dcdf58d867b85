import type { AgentName, RuntimeName } from '../model/submission.ts'
import type { Door } from '../ports/repositories.ts'
import type { Asked } from './judge-submission.ts'
import type { FieldFault, SubmitContext } from './submit.ts'

/** What fields of the right shape say together that cannot be done here. */
export function meaningFaults(
  context: SubmitContext,
  asked: Asked,
  agent: AgentName,
  door: Door,
): FieldFault[] {
  return [
    ...agentFaults(asked, agent, context.agents),
    ...networkFaults(asked, door, context.refusedHost),
    ...runtimeFaults(asked, context.runtimes),
    ...reviewFaults(asked, agent, context.agents),
  ]
}

function agentFaults(asked: Asked, agent: AgentName, available: readonly AgentName[]): FieldFault[] {
  if (!available.includes(agent)) {
    const names = available.join(', ')
    const hint = asked.agent === undefined ? ' (the default, since no command was given)' : ''
    return [
      { field: 'agent', message: `${agent}${hint} is not available in this version; available: ${names}` },
    ]
  }
  const takesCommand = agent === 'command' || agent === 'acp'
  if (takesCommand && asked.command === undefined) {
    return [{ field: 'command', message: `is needed by the agent ${agent}: a shell command` }]
  }
  if (!takesCommand && asked.command !== undefined) {
    return [{ field: 'command', message: `does not go with the agent ${agent}; leave one of the two out` }]
  }
  return []
}

/** Whoever reviews has to be there, and a command reviews only by a command of its own. */
function reviewFaults(asked: Asked, agent: AgentName, available: readonly AgentName[]): FieldFault[] {
  const { reviewer, reviewCommand } = asked
  const byCommand = reviewer === 'command' || reviewer === 'acp'
  if (reviewCommand !== undefined) {
    if (reviewer === undefined || byCommand) return []
    return [
      {
        field: 'reviewCommand',
        message: `does not go with the reviewer ${reviewer}; leave one of the two out`,
      },
    ]
  }
  if (byCommand) {
    return [{ field: 'reviewCommand', message: `is needed by the reviewer ${reviewer}: a shell command` }]
  }
  if (reviewer !== undefined && !available.includes(reviewer)) {
    return [
      { field: 'reviewer', message: `${reviewer} is not available; available: ${available.join(', ')}` },
    ]
  }
  if (asked.merge === 'review' && (agent === 'command' || agent === 'acp')) {
    const message = `must be checks or never, or say who reviews: the agent ${agent} cannot; give a reviewer or a reviewCommand`
    return [{ field: 'merge', message }]
  }
  return []
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
