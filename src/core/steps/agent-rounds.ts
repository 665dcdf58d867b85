import { asksPerson } from '../../model/asks-person.ts'
import type { AgentEvidence } from '../../model/evidence.ts'
import type { FoundProgram, Sandbox } from '../../ports/runtime.ts'
import type { Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'
import { AgentAccess } from './agent-access.ts'
import { judgeTurn, runTurn, type EndedTurn } from './agent-turn.ts'
import { briefOf } from './brief.ts'
import { restoreConversation, saveConversation, type Conversation } from './conversation.ts'
import { wasRefusedByHook } from './hooks.ts'
import { addHosts } from './network.ts'
import type { RepositoryRules } from './repository-file.ts'

/** The rounds of one agent in one sandbox: its way to its provider, its conversation, what it has used. */
export class AgentRounds {
  readonly #attempt: Attempt
  readonly #rules: RepositoryRules
  /** What attempts before this one have used. */
  readonly #before: AgentEvidence | null
  #opened: Promise<{ access: AgentAccess; program: FoundProgram | null }> | null = null
  /** What an earlier attempt saved, until it is laid into this sandbox. */
  #saved: Conversation | null
  #conversation: string | null = null
  #used: AgentEvidence | null = null
  #answer: string | null = null

  constructor(attempt: Attempt, rules: RepositoryRules, saved: Conversation | null) {
    this.#attempt = attempt
    this.#rules = rules
    this.#before = attempt.evidence.agent
    this.#saved = saved
  }

  /** Resolves where the round was good; everything else is thrown. */
  async run(sandbox: Sandbox, round: number, findings: string | null): Promise<void> {
    const attempt = this.#attempt
    const { access, program } = await this.#open(sandbox)
    await this.#restore(sandbox)
    const { task, options } = attempt.claimed
    const call = attempt.agent.call({
      prompt: task.prompt,
      findings,
      brief: briefOf(attempt, this.#rules, { findings, resumed: this.#conversation !== null }),
      command: options.command,
      model: options.model,
      round,
      program: program?.path ?? null,
      conversation: this.#conversation,
      ways: access.ways,
      maxTurns: attempt.parts.maxTurns,
    })
    const step = round === 0 ? 'agent' : 'fix'
    const turn = await runTurn(attempt, {
      sandbox,
      call,
      access,
      step,
      network: addHosts(options.network, this.#rules.hosts.agent),
    })
    const { end } = turn
    this.#answer = end.text
    this.#conversation = end.conversation ?? this.#conversation
    this.#count(end.evidence, access, program)
    try {
      await judgeTurn(attempt, attempt.agent.name, turn, access)
    } catch (error) {
      const fault = ownFault(error, turn)
      if (fault === null || !(await wasRefusedByHook(sandbox))) throw error
      const { agent } = attempt.evidence
      attempt.evidence = { ...attempt.evidence, agent: agent && { ...agent, fault } }
      attempt.journal.note(
        step,
        `${fault}, after our hook had refused its commit: the gate looks at its work`,
      )
    }
  }

  /** What its last answer asks of a person, in place of doing the work; `null`: nothing. */
  get question(): string | null {
    return this.#answer !== null && asksPerson(this.#answer) ? this.#answer.trim().slice(-300) : null
  }

  /** What the agent needs to take up its conversation elsewhere; `null`: it cannot, or that is too large. */
  async conversation(sandbox: Sandbox): Promise<Conversation | null> {
    const { agent, signal } = this.#attempt
    if (this.#conversation === null) return null
    return saveConversation(sandbox, this.#conversation, agent.conversationPaths, signal)
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => null)
    await opened?.access.close()
  }

  #open(sandbox: Sandbox) {
    this.#opened ??= (async () => {
      const [access, program] = await Promise.all([
        AgentAccess.open(this.#attempt, this.#attempt.agent),
        sandbox.program ?? this.#attempt.agent.program(),
      ])
      return { access, program }
    })()
    return this.#opened
  }

  async #restore(sandbox: Sandbox): Promise<void> {
    const saved = this.#saved
    this.#saved = null
    if (saved === null) return
    const { journal, signal } = this.#attempt
    const restored = await restoreConversation(sandbox, saved, signal)
    if (restored) this.#conversation = saved.id
    else journal.note('fix', 'its earlier conversation could not be taken up: the agent begins a new one')
  }

  /** Counted by the gateway where it can, since an agent says of itself what it likes. */
  #count(round: AgentEvidence, access: AgentAccess, program: FoundProgram | null): void {
    const before = this.#before
    const used = this.#used
    const usage = access.usage()
    const inputTokens = usage?.inputTokens ?? plus(used?.inputTokens, round.inputTokens)
    const outputTokens = usage?.outputTokens ?? plus(used?.outputTokens, round.outputTokens)
    const costUsd = usage === null ? plus(used?.costUsd, round.costUsd) : usage.costUsd
    const model = usage?.models.at(-1) ?? round.model
    this.#used = {
      ...round,
      ...(model === undefined ? {} : { model }),
      ...(program === null ? {} : { path: program.path }),
      version: round.version ?? program?.version ?? null,
      turns: plus(used?.turns, round.turns),
      inputTokens,
      outputTokens,
      costUsd,
    }
    const agent = {
      ...this.#used,
      turns: plus(before?.turns, this.#used.turns),
      inputTokens: plus(before?.inputTokens, inputTokens),
      outputTokens: plus(before?.outputTokens, outputTokens),
      costUsd: plus(before?.costUsd, costUsd),
    }
    this.#attempt.evidence = { ...this.#attempt.evidence, agent }
  }
}

/** How it gave up by itself; `null`: it did not, or was cut short. */
function ownFault(error: unknown, { exec, cut }: EndedTurn): string | null {
  if (!(error instanceof Stop) || error.reason.kind !== 'agent_failed') return null
  return exec.kind === 'exited' && cut === null ? error.reason.fault : null
}

/** The sum; `null` where neither is known. */
function plus(one: number | null | undefined, other: number | null): number | null {
  if (one === undefined || one === null) return other
  return other === null ? one : one + other
}
