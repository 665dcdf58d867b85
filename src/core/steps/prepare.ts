import type { CloneSource } from '../../ports/runtime.ts'
import { inStep, type Attempt } from '../attempt.ts'
import type { Book } from '../book.ts'
import { agentProblems } from '../agent-abilities.ts'
import { persist } from '../persist.ts'
import { Stop } from '../reasons.ts'
import { combinedNeeds, firstPin } from './base.ts'

/** Where a task starts from. */
export interface Prepared {
  readonly source: CloneSource
  /** The branch that the work is for. */
  readonly base: string
  /** Where that stood when the task was first looked at: all attempts start from there. */
  readonly pinnedSha: string
}

/**
 * Asks the remote for the base and pins it for all attempts; brings the mirror to have it. Work that was moved onto a
 * later commit of the base by an earlier attempt goes on from there.
 */
export function prepare(attempt: Attempt, book: Book): Promise<Prepared> {
  return inStep(attempt, 'prepare', async () => {
    const { parts, claimed, journal } = attempt
    const { task, lease } = claimed
    await requireAgents(attempt)
    const pinned = claimed.pinned ?? (await firstPin(attempt))
    // No remote has such a commit: on another machine it has to be made again.
    if (claimed.pinned !== null && claimed.needBranches.length > 1) await combinedNeeds(attempt)
    await persist(parts, () => parts.store.pin(lease, pinned, attempt.runtime.name))
    journal.note('prepare', `base ${pinned.base} is pinned at ${pinned.sha}`, { ...pinned })
    const sha = (await movedBase(attempt, book)) ?? pinned.sha
    attempt.evidence = { ...attempt.evidence, baseSha: sha }
    const mirror = await parts.publisher.mirror(task.repo, sha, pinned.base)
    const source = { repo: task.repo, sha, branch: task.branch, base: pinned.base, mirror, work: null }
    return { source, base: pinned.base, pinnedSha: pinned.sha }
  })
}

/** The commit that the saved work builds on, where that is not the pinned one. */
async function movedBase({ parts, claimed }: Attempt, book: Book): Promise<string | null> {
  const { bases, pushed } = book.progress
  if (Object.keys(bases).length === 0) return null
  const saved = await persist(parts, () => parts.store.savedWork(claimed.lease))
  const head = saved?.headSha ?? pushed?.sha
  return head === undefined ? null : (bases[head] ?? null)
}

/** Tells what keeps an agent from working, before anything of the task is done. */
async function requireAgents({ agent, claimed, parts, runtime }: Attempt): Promise<void> {
  const { lineup, model, maxCostUsd } = claimed.options
  const isCapped = [maxCostUsd, ...claimed.budgets.map(({ capUsd }) => capUsd)].some((cap) => cap !== null)
  for (const own of lineup ?? [{ agent: agent.name, model }]) {
    const worker = parts.agents.get(own.agent)
    const use = { model: own.model, runtime: runtime.name }
    const problems = worker === undefined ? [] : await agentProblems(parts, worker, use)
    if (problems.length > 0) throw new Stop({ kind: 'agent_unavailable', agent: own.agent, problems })
    const isCounted = (worker?.providers(own.model).length ?? 0) > 0
    if (isCapped && isCounted && own.model !== null && !parts.gateway.knowsPrice(own.model)) {
      throw new Stop({ kind: 'price_unknown', model: own.model })
    }
  }
}
