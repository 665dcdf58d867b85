import { TooLarge, type CloneSource, type ExecEnd, type Sandbox } from '../../ports/runtime.ts'
import { inStep, taskEnvironment, type Attempt } from '../attempt.ts'
import { Stop } from '../reasons.ts'
import { bundleName, commitExits, commitScript } from './commit-script.ts'
import { agentNetwork, networkOf } from './network.ts'
import { openSandbox } from './open-sandbox.ts'
import type { RepositoryRules } from './repository-file.ts'
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
  #sandbox: Sandbox | null = null

  constructor(attempt: Attempt, source: CloneSource, rules: RepositoryRules) {
    this.#attempt = attempt
    this.#source = source
    this.#rules = rules
  }

  /** The clone is to hold work that an earlier attempt handed over; before the first round. */
  startFrom(work: CloneSource['work']): void {
    this.#source = { ...this.#source, work }
  }

  /** One round of the agent, from its prompt to the bundle of all that it did so far. */
  async round(round: number, findings: string | null): Promise<Handout> {
    const sandbox = this.#sandbox ?? (await this.#open())
    await this.#runAgent(sandbox, round, findings)
    return this.#commit(sandbox)
  }

  async close(): Promise<void> {
    await this.#sandbox?.close()
  }

  async #open(): Promise<Sandbox> {
    const attempt = this.#attempt
    const sandbox = await openSandbox(attempt, {
      purpose: 'agent',
      image: this.#rules.file.image,
      source: this.#source,
    })
    this.#sandbox = sandbox
    const setup = this.#rules.file.setup
    if (setup !== null) {
      await runSetup(attempt, sandbox, setup.run, { on: 'base', network: networkOf(this.#rules.hosts.setup) })
    }
    return sandbox
  }

  #runAgent(sandbox: Sandbox, round: number, findings: string | null): Promise<void> {
    const attempt = this.#attempt
    const { claimed, agent, journal, signal } = attempt
    const { task, options } = claimed
    return inStep(attempt, round === 0 ? 'agent' : 'fix', async () => {
      const step = round === 0 ? 'agent' : 'fix'
      const call = agent.call({ prompt: task.prompt, command: options.command, round, findings })
      const end = await sandbox.exec({
        argv: call.argv,
        env: { ...taskEnvironment(attempt), ...call.env },
        ...(call.stdin === undefined ? {} : { stdin: call.stdin }),
        network: agentNetwork(options.network, this.#rules.hosts.agent),
        signal,
        timeoutMs: options.timeoutMs,
        silenceMs: options.silenceMs,
        onLine: (line) => {
          journal.output(step, line.text)
          call.onLine?.(line)
        },
      })
      const judged = call.end(end)
      attempt.evidence = { ...attempt.evidence, agent: judged.evidence }
      stopOnLimits(attempt, end)
      if (!judged.ok) throw new Stop({ kind: 'agent_failed', fault: judged.fault ?? 'it ended badly' })
    })
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

function stopOnLimits(attempt: Attempt, end: ExecEnd): void {
  const { options } = attempt.claimed
  switch (end.kind) {
    case 'exited':
      return
    case 'aborted':
      throw attempt.signal.reason
    case 'timed_out':
      throw new Stop({ kind: 'timed_out', timeoutMs: options.timeoutMs })
    case 'silent':
      throw new Stop({ kind: 'agent_silent', silenceMs: options.silenceMs })
    case 'out_of_memory':
      throw new Stop({ kind: 'out_of_memory', step: 'agent', memoryBytes: attempt.parts.limits.memoryBytes })
    default:
      end.kind satisfies never
  }
}

const maxTitleLength = 72

/** Title, and the trailers that say where the commit comes from. */
export function commitMessage(attempt: Attempt): string {
  const { task, lease } = attempt.claimed
  const firstLine = task.prompt.trim().split('\n')[0]?.trim() ?? ''
  const title = firstLine.length > maxTitleLength ? `${firstLine.slice(0, maxTitleLength - 1)}…` : firstLine
  return `${title}\n\nNightshift-Task: ${task.id}\nNightshift-Attempt: ${lease.attempt}\n`
}
