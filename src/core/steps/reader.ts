import type { ReadAnswer } from '../../model/answered-json.ts'
import type { AgentName } from '../../model/submission.ts'
import type { Agent } from '../../ports/agent.ts'
import type { CloneSource, Sandbox } from '../../ports/runtime.ts'
import type { Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'
import { AgentAccess, modelFor } from './agent-access.ts'
import { judgeTurn, runTurn, type EndedTurn } from './agent-turn.ts'
import { addHosts } from './network.ts'
import { openSandbox } from './open-sandbox.ts'
import type { RepositoryRules } from './repository-file.ts'

/** An answer that cannot be read is asked for once more. */
const maxTries = 2
const maxAnswerBytes = 1024 * 1024
/** Of what is printed, more is not kept. */
const longestTail = 60 * 1024

/** What an agent is asked that reads, and changes nothing: a reviewer, a judge. */
export interface Question<T> {
  readonly who: 'reviewer' | 'judge'
  readonly agent: Agent
  /** Shell command of the agents `command` and `acp`. */
  readonly command: string | null
  /** For agents that are told what to do; `fault`: what was wrong with the last answer, empty at first. */
  readonly prompt: (fault: string) => string
  readonly round: number
  /** What it may know beside its task. */
  readonly env: Readonly<Record<string, string>>
  /** Where in `outPath` it may write its answer, in place of printing it. */
  readonly answerFile: string
  readonly read: (text: string) => ReadAnswer<T>
}

/** A sandbox of its own, whose clone cannot be written to. */
export function openReader(
  attempt: Attempt,
  rules: RepositoryRules,
  agent: Agent,
  source: CloneSource,
): Promise<Sandbox> {
  const { image } = rules.file
  return openSandbox(attempt, { purpose: 'review', image, program: agent.install, source })
}

/**
 * Asks until there is an answer that can be used. Nothing comes out of the sandbox but the answer, and that is data: it
 * is shown and counted, never done. Throws {@link Stop} where there is none.
 */
export async function ask<T>(
  attempt: Attempt,
  rules: RepositoryRules,
  sandbox: Sandbox,
  question: Question<T>,
): Promise<T> {
  let fault = ''
  for (let tries = 1; tries <= maxTries; tries += 1) {
    const read = await askOnce(attempt, rules, sandbox, question, fault)
    if (read.ok) return read.answer
    fault = read.fault
    attempt.journal.note('review', `the ${question.who}’s answer cannot be used: ${fault}`)
  }
  throw new Stop({ kind: 'review_unusable', fault })
}

/** The agent of this name, or of the task. Throws {@link Stop} where it cannot be asked. */
export function readerOf({ parts, claimed }: Attempt, name: AgentName | null, command: string | null): Agent {
  const asked = name ?? claimed.task.agent
  const agent = parts.agents.get(asked)
  if (agent === undefined) {
    throw new Stop({ kind: 'review_unusable', fault: `the agent ${asked} is not on this machine` })
  }
  // The author's own command writes code; without a command that reads, nobody can.
  if (asked === 'command' && command === null) {
    const fault = 'the agent command reads only with a command of its own'
    throw new Stop({ kind: 'review_unusable', fault })
  }
  return agent
}

async function askOnce<T>(
  attempt: Attempt,
  rules: RepositoryRules,
  sandbox: Sandbox,
  question: Question<T>,
  lastFault: string,
): Promise<ReadAnswer<T>> {
  const { claimed, parts } = attempt
  const { agent, answerFile } = question
  const access = await AgentAccess.open(attempt, agent)
  try {
    const prompt = agent.name === 'command' ? claimed.task.prompt : question.prompt(lastFault)
    const ended = await runTurn(attempt, {
      sandbox,
      call: agent.call({
        prompt,
        brief: prompt,
        command: question.command ?? ownCommand(attempt, agent),
        model: modelFor(claimed, agent),
        round: question.round,
        findings: null,
        program: (sandbox.program ?? (await agent.program()))?.path ?? null,
        conversation: null,
        ways: access.ways,
        maxTurns: parts.maxTurns,
      }),
      access,
      step: 'review',
      network: addHosts(claimed.options.network, rules.hosts.agent),
      env: question.env,
    })
    const fault = await faultOf(attempt, agent, ended, access)
    if (fault !== null) return { ok: false, fault }
    const written = await sandbox.take(answerFile, maxAnswerBytes)
    const text = written?.toString('utf8') ?? ended.end.text ?? ended.exec.stdoutTail
    const read = question.read(text)
    if (read.ok || text !== ended.exec.stdoutTail || text.length < longestTail) return read
    const file = `${sandbox.outPath}/${answerFile}`
    return { ok: false, fault: `${read.fault} at the end of much; a long answer goes into the file ${file}` }
  } finally {
    await access.close()
  }
}

/** An author that speaks the agent client protocol reads by the same command. */
function ownCommand({ claimed }: Attempt, agent: Agent): string | null {
  return agent.name === 'acp' && claimed.task.agent === 'acp' ? claimed.options.command : null
}

/** What it did wrong, as a clause; what is not its own doing is thrown. */
async function faultOf(
  attempt: Attempt,
  agent: Agent,
  ended: EndedTurn,
  access: AgentAccess,
): Promise<string | null> {
  try {
    await judgeTurn(attempt, agent.name, ended, access)
    return null
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    const { reason } = error
    if (reason.kind === 'agent_failed') return reason.fault
    if (reason.kind === 'agent_silent') {
      throw new Stop({ kind: 'review_unusable', fault: 'it said nothing for too long' })
    }
    if (reason.kind === 'out_of_memory') throw new Stop({ ...reason, step: 'review' })
    throw error
  }
}
