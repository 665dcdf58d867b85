import type { CloneSource } from '../../ports/runtime.ts'
import { inStep, type Attempt } from '../attempt.ts'
import { persist } from '../persist.ts'

/** Asks the remote for the base and pins it for all attempts; brings the mirror to have it. */
export function prepare(attempt: Attempt): Promise<CloneSource> {
  return inStep(attempt, 'prepare', async () => {
    const { parts, claimed, journal } = attempt
    const { task, lease } = claimed
    const pinned = claimed.pinned ?? (await firstPin(attempt))
    attempt.evidence = { ...attempt.evidence, baseSha: pinned.sha }
    await persist(parts, () => parts.store.pin(lease, pinned, attempt.runtime.name))
    journal.note('prepare', `base ${pinned.base} is pinned at ${pinned.sha}`, { ...pinned })
    const mirror = await parts.publisher.mirror(task.repo, pinned.sha, pinned.base)
    return { repo: task.repo, sha: pinned.sha, branch: task.branch, mirror, work: null }
  })
}

async function firstPin(attempt: Attempt) {
  const { parts, claimed, journal } = attempt
  const { task, needBranches } = claimed
  const base = await parts.publisher.resolve(task.repo, task.base)
  const need = needBranches.at(-1)
  if (need === undefined) return { base: base.branch, sha: base.sha }
  // What it needs was not merged: it starts from what the need made.
  const others = needBranches.slice(0, -1).map((other) => other.branch)
  const left = others.length === 0 ? '' : `; ${others.join(', ')} not included`
  journal.note('prepare', `starts from ${need.branch}, which its need made${left}`, { headSha: need.headSha })
  return { base: base.branch, sha: need.headSha }
}
