import type { Candidate } from './candidate.ts'
import { submissionSchema, type AgentName, type Submission } from './submission.ts'

type Described = Pick<Submission, 'agent' | 'model' | 'command'>
type Asked = Described & { readonly candidates?: Submission['candidates'] | undefined }

/** Whether the agent is started by a shell command that whoever asks for it gives. */
export function takesCommand(agent: unknown): boolean {
  return agent === 'command' || agent === 'acp'
}

/**
 * Who does the work: the task's own agent, and the candidates where they differ (`lineup`). A candidate is as the task
 * has it where it says nothing else; a task that names no agent has its first candidate's.
 */
export function lineupOf(asked: Asked): { readonly own: Candidate; readonly lineup: Candidate[] | null } {
  const listed = Array.isArray(asked.candidates) ? asked.candidates : null
  const isNamed = asked.agent !== undefined || asked.command !== undefined
  const own = completed(asked, !isNamed && listed?.[0] !== undefined ? listed[0] : {})
  return { own, lineup: listed?.map((each) => completed(asked, each)) ?? null }
}

const askedSchema = submissionSchema
  .pick({ agent: true, model: true, command: true, candidates: true })
  .partial()
  .strip()

/** The agents that a request means, given or not; none where it cannot be read, which whoever takes it will tell. */
export function agentsOf(request: unknown): readonly AgentName[] {
  const asked = askedSchema.safeParse(request)
  if (!asked.success) return []
  const { own, lineup } = lineupOf(asked.data)
  return [...new Set([own, ...(lineup ?? [])].map(({ agent }) => agent))]
}

function completed(asked: Asked, each: Described): Candidate {
  const given = asked.agent ?? (asked.command === undefined ? 'claude' : 'command')
  const byCommand = takesCommand(given) ? given : 'command'
  const agent = each.agent ?? (each.command === undefined ? given : byCommand)
  const isGiven = agent === given
  return {
    agent,
    model: each.model ?? (isGiven ? asked.model : undefined) ?? null,
    command: each.command ?? (isGiven ? asked.command : undefined) ?? null,
  }
}
