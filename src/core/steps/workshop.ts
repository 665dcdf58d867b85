import { TooLarge, type CloneSource, type Sandbox } from '../../ports/runtime.ts'
import { inStep, taskEnvironment, type Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'
import { AgentRounds } from './agent-rounds.ts'
import { bundleName, commitExits, commitScript, uncommitScript } from './commit-script.ts'
import type { Conversation } from './conversation.ts'
import { installHooks } from './hooks.ts'
import { cloneSandbox } from './open-sandbox.ts'
import type { RepositoryRules } from './repository-file.ts'
import { markSetup } from './setup-leavings.ts'
import { runSetup } from './setup.ts'

const commitTimeoutMs = 10 * 60_000
const maxWorkBytes = 100 * 1024 * 1024

/** What came out of the sandbox: nothing at all, or a bundle that nobody has judged yet. */
export type Handout = { kind: 'nothing' } | { kind: 'bundle'; bundle: Buffer }

/**
 * The sandbox in which the agent works: opened for the first round, kept for fix rounds, so that the agent goes on
 * in the clone that it left.
 */
export class Workshop {
  readonly #attempt: Attempt
  #source: CloneSource
  readonly #rules: RepositoryRules
  /** See {@link markSetup}. */
  #setupTree = ''
  #sandbox: Sandbox | null = null
  #rounds: AgentRounds | null = null
  #conversation: Conversation | null = null
  #made: Handout | null = null

  constructor(attempt: Attempt, source: CloneSource, rules: RepositoryRules) {
    this.#attempt = attempt
    this.#source = source
    this.#rules = rules
  }

  /** The clone is to hold work that an earlier attempt handed over; before the first round. */
  startFrom(work: NonNullable<CloneSource['work']>, conversation: Conversation | null = null): void {
    this.#source = { ...this.#source, work }
    this.#conversation = conversation
  }

  /** The next round is one that was done already: this is what came of it. */
  handOutAgain(handout: Handout): void {
    this.#made = handout
  }

  /** One round of the agent, from its prompt to the bundle of all that it did so far. */
  async round(round: number, findings: string | null): Promise<Handout> {
    const made = this.#made
    this.#made = null
    if (made !== null) return made
    const sandbox = this.#sandbox ?? (await this.#open())
    const rounds = (this.#rounds ??= new AgentRounds(this.#attempt, this.#rules, this.#conversation))
    const step = round === 0 ? 'agent' : 'fix'
    if (round > 0 && !isPushed(this.#attempt)) await this.#uncommit(sandbox)
    await inStep(this.#attempt, step, () => rounds.run(sandbox, round, findings))
    const handout = await this.#commit(sandbox)
    const { question } = rounds
    if (handout.kind === 'nothing' && question !== null) {
      throw new Stop({ kind: 'agent_failed', fault: `it asked a question and waited: ${question}` })
    }
    return handout
  }

  /** What the agent needs to take up its conversation elsewhere; `null`: nothing to save. */
  async conversation(): Promise<Conversation | null> {
    // It was taken up, and has not gone on since.
    if (this.#sandbox === null || this.#rounds === null) return this.#conversation
    return this.#rounds.conversation(this.#sandbox)
  }

  async close(): Promise<void> {
    await this.#rounds?.close()
    await this.#sandbox?.close()
  }

  async #open(): Promise<Sandbox> {
    const attempt = this.#attempt
    const sandbox = await cloneSandbox(attempt, {
      purpose: 'agent',
      image: this.#rules.file.image,
      program: attempt.agent.install,
      source: this.#source,
    })
    this.#sandbox = sandbox
    if (this.#rules.file.setup !== null) {
      await runSetup(attempt, sandbox, this.#rules.file.setup, {
        on: 'base',
        rules: this.#rules,
        source: this.#source,
      })
      this.#setupTree = await markSetup(attempt, sandbox)
    }
    await installHooks(attempt, sandbox, this.#rules, this.#source.sha)
    return sandbox
  }

  /** What it could not do is the clone's fault, which the next commit tells. */
  async #uncommit(sandbox: Sandbox): Promise<void> {
    const { signal } = this.#attempt
    const end = await sandbox.exec({
      argv: ['/bin/sh', '-c', uncommitScript],
      env: { NS_OURS: taskTrailer(this.#attempt) },
      network: { kind: 'none' },
      signal,
      timeoutMs: commitTimeoutMs,
    })
    if (end.kind === 'aborted') throw signal.reason
  }

  #commit(sandbox: Sandbox): Promise<Handout> {
    const attempt = this.#attempt
    const { parts, journal, signal } = attempt
    return inStep(attempt, 'commit', async () => {
      const { authorName, authorEmail } = parts.author
      const end = await sandbox.exec({
        argv: ['/bin/sh', '-c', commitScript],
        env: {
          ...taskEnvironment(attempt),
          NS_BASE: this.#source.sha,
          NS_SETUP: this.#setupTree,
          NS_MESSAGE: commitMessage(attempt),
          NS_BUNDLE: `${sandbox.outPath}/${bundleName}`,
          GIT_AUTHOR_NAME: authorName,
          GIT_AUTHOR_EMAIL: authorEmail,
          GIT_COMMITTER_NAME: authorName,
          GIT_COMMITTER_EMAIL: authorEmail,
        },
        network: { kind: 'none' },
        signal,
        timeoutMs: commitTimeoutMs,
      })
      if (end.kind === 'aborted') throw signal.reason
      const said = end.stdoutTail.trim().split('\n').slice(-8).join(' | ').slice(-500)
      if (end.exitCode === commitExits.nothing) return { kind: 'nothing' }
      if (end.exitCode !== commitExits.work) {
        // Not the agent's fault, as far as anyone can tell: with room again, it works.
        if (/No space left on device|Disk quota exceeded/.test(said))
          throw new Error(`no space left to commit the work: ${said}`)
        const how = end.kind === 'exited' ? said : `committing it ended as ${end.kind}`
        throw new Stop({ kind: 'clone_unusable', how })
      }
      const bundle = await takeBundle(sandbox)
      if (bundle === null) throw new Stop({ kind: 'clone_unusable', how: 'it left no bundle to hand over' })
      journal.note('commit', `${bundle.length} bytes of work are packed`, { bytes: bundle.length })
      return { kind: 'bundle', bundle }
    })
  }
}

async function takeBundle(sandbox: Sandbox): Promise<Buffer | null> {
  try {
    return await sandbox.take(bundleName, maxWorkBytes)
  } catch (error) {
    if (error instanceof TooLarge) throw new Stop({ kind: 'work_too_large', maxBytes: maxWorkBytes })
    throw error
  }
}

/** Whether the remote may have commits of this task already. */
function isPushed({ claimed, evidence }: Attempt): boolean {
  return claimed.ownShas.length > 0 || evidence.confirmedAt !== null
}

const maxTitleLength = 72

function taskTrailer({ claimed }: Attempt): string {
  return `Nightshift-Task: ${claimed.task.id}`
}

/** Title, and the trailers that say where the commit comes from. */
export function commitMessage(attempt: Attempt): string {
  const { task, lease } = attempt.claimed
  const firstLine = task.prompt.trim().split('\n')[0]?.trim() ?? ''
  const title = firstLine.length > maxTitleLength ? `${firstLine.slice(0, maxTitleLength - 1)}…` : firstLine
  return `${title}\n\n${taskTrailer(attempt)}\nNightshift-Attempt: ${lease.attempt}\n`
}
